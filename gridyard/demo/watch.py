"""Watch the gateway through its public API, as any user could, and tell what changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from contracts.time import Clock
from gridyard.demo.plan import EVENT_ID, LIMITED_SITE, UTILITY_ID
from gridyard.demo.story import Story, kw

EVENT_PATH = f"/api/v1/events/{UTILITY_ID}/{EVENT_ID}"
_FIGURES_EVERY_S = 10.0
_LOOK_EVERY_S = 0.4


class Watcher:
    """Compares what the API shows now with what it showed before."""

    def __init__(self, api: httpx.AsyncClient, story: Story, clock: Clock) -> None:
        self._api = api
        self._story = story
        self._clock = clock
        self._online = -1
        self._event_status: str | None = None
        self._revision = 0
        self._notices: set[tuple[str, str, str]] = set()
        self._statuses: set[tuple[str, str]] = set()
        self._figures_at = 0.0
        self._imposed = ""
        self.latency_s: float | None = None
        """From the event's start until every depot's devices had accepted their limits."""

    async def until_report(self) -> dict[str, Any]:
        """Tell what happens until there is a report; the description of its newest version."""
        while True:
            await self._portfolio()
            await self._event()
            await self._envelope()
            versions = await self._get(f"{EVENT_PATH}/reports")
            if versions:
                return dict(versions[-1])
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _get(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        answer = await self._api.get(path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.json()

    async def _portfolio(self) -> None:
        now = await self._get("/api/v1/portfolio")
        if now["sites_online"] != self._online:
            self._online = now["sites_online"]
            self._story.tell(
                "sites", f"{self._online} of {now['sites_total']} depots are connected"
            )
        for notice in now["notices"]:
            key = (notice["site_id"], notice["code"], notice["subject"])
            if key not in self._notices:
                self._notices.add(key)
                self._story.tell("notice", f"{notice['site_id']}: {notice['text']}", notice=notice)
        if self._story.elapsed_s() - self._figures_at >= _FIGURES_EVERY_S:
            self._figures_at = self._story.elapsed_s()
            self._figures(now)

    def _figures(self, now: dict[str, Any]) -> None:
        parts = [f"load {kw(now['power_w'])}"]
        if now["target_w"] is not None:
            parts.append(f"target {kw(now['target_w'])}, baseline {kw(now['baseline_w'])}")
        parts.append(f"offered {kw(now['flex_down_w'])}")
        self._story.tell("figures", ", ".join(parts), portfolio=now)

    async def _event(self) -> None:
        event = await self._get(EVENT_PATH)
        if event is None:
            return
        if event["status"] != self._event_status:
            first = self._event_status is None
            self._event_status = event["status"]
            if first:
                self._story.tell(
                    "event", f"event received, {event['opt']}: {event['opt_cause']}", event=event
                )
            self._story.tell("status", f"event is {event['status']}")
        await self._plans()
        await self._instructions(datetime.fromisoformat(event["start"]))

    async def _envelope(self) -> None:
        """What the network operator imposes at this moment, whenever that changes."""
        for envelope in await self._get(f"/api/v1/sites/{LIMITED_SITE}/envelopes"):
            step = envelope["now"]
            cause = step["cause"] if step else "nothing is imposed any more"
            if cause != self._imposed:
                self._imposed = cause
                text = f"{envelope['utility_id']} at {LIMITED_SITE}: {cause}"
                self._story.tell("envelope", text, envelope=envelope)

    async def _plans(self) -> None:
        plans = await self._get(f"{EVENT_PATH}/plans") or []
        for plan in plans:
            if plan["revision"] <= self._revision:
                continue
            self._revision = plan["revision"]
            shares = ", ".join(
                f"{a['site_id']} {kw(a['steps'][0]['reduction_w'])}"
                for a in plan["allocations"]
                if a["steps"]
            )
            self._story.tell(
                "plan", f"plan {plan['revision']} ({plan['reason']}): {shares or 'nobody'}"
            )

    async def _instructions(self, start: datetime) -> None:
        found = await self._get(f"{EVENT_PATH}/instructions") or []
        for instruction in found:
            for status in instruction["statuses"]:
                key = (instruction["instruction_id"], status["state"])
                if key in self._statuses:
                    continue
                self._statuses.add(key)
                at = datetime.fromisoformat(status["at"])
                late = f" ({(at - start).total_seconds():+.1f} s)" if at >= start else ""
                self._story.tell(
                    "instruction", f"{instruction['site_id']}: {status['state']}{late}"
                )
        self._latency(found, start)

    def _latency(self, instructions: list[dict[str, Any]], start: datetime) -> None:
        """Once every site has applied its first limits: how long the slowest took."""
        if self.latency_s is not None:
            return
        applied: dict[str, float] = {}
        for instruction in instructions:
            for status in instruction["statuses"]:
                if status["state"] == "applied":
                    late = (datetime.fromisoformat(status["at"]) - start).total_seconds()
                    site = instruction["site_id"]
                    applied[site] = min(late, applied.get(site, late))
        if applied and applied.keys() == {i["site_id"] for i in instructions}:
            self.latency_s = max(0.0, *applied.values())
            self._story.tell(
                "latency",
                f"every charger and battery had accepted its limit {self.latency_s:.2f} s "
                f"after the event's start, in {len(applied)} depots",
                seconds=self.latency_s,
                sites=applied,
            )
