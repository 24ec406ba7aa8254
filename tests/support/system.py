"""The whole system as separate processes, watched through its public interfaces and its stores."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from support.processes import Program, eventually, listening
from support.system_layout import (
    PROGRAM,
    SITES,
    TYPICAL_W,
    UTILITY,
    SystemLayout,
)
from support.waiting import PATIENCE_S
from support.witness import Witness

_START_S = 90.0
_REST_S = 150.0
"""A vehicle that was paused rests for a minute before it may charge again."""
_CHARGING_W = 0.85 * TYPICAL_W
_OFFERED_W = 0.6 * TYPICAL_W


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """An event the utility has called."""

    event_id: str
    start: datetime
    end: datetime

    @property
    def path(self) -> str:
        return f"/api/v1/events/{UTILITY}/{self.event_id}"


class System:
    """Programs by name: `utility`, `gateway`, and of each site the agent and its hardware."""

    def __init__(self, layout: SystemLayout) -> None:
        self.layout = layout
        self.programs = {
            name: Program(name, command, layout.config(name)) for name, command, _ in layout.files()
        }
        self.witnesses: dict[str, Witness] = {}
        self._stack = ExitStack()
        web, api = layout.gateway.web, layout.utility
        self.gateway = self._client(f"http://{web.host}:{web.port}")
        self.utility = self._client(f"http://{api.api_host}:{api.api_port}")

    def __getitem__(self, name: str) -> Program:
        return self.programs[name]

    def heal(self) -> None:
        """Start whatever does not run; return when everybody is in touch."""
        for program in self.programs.values():
            if not program.running:
                program.start()
        for site_id in SITES:
            if site_id not in self.witnesses:
                port = self.layout.depots[site_id].meter.port
                eventually(partial(listening, [port]), _START_S, f"{site_id}: the meter")
                self.witnesses[site_id] = Witness(port)
                self.witnesses[site_id].start()
        eventually(self._in_touch, _START_S, "everybody in touch")

    def rest(self) -> None:
        """Return when every depot draws what it does when nobody asks for anything."""
        eventually(self._charging, _REST_S, "everybody charging")

    def _charging(self) -> bool:
        drawn = [witness.now_w for witness in self.witnesses.values()]
        offered = [site["flex_down_w"] or 0.0 for site in self._ask("/api/v1/sites") or []]
        return min(drawn) > _CHARGING_W and min(offered, default=0.0) > _OFFERED_W

    def _in_touch(self) -> bool:
        seen = self.portfolio()
        registered = any(u["utility_id"] == UTILITY and u["connected"] for u in seen["utilities"])
        return registered and seen["sites_online"] == len(SITES)

    def stop(self) -> dict[str, int]:
        """Ask every program at once to end; their exit codes."""
        self._dismiss_witnesses()
        for program in self.programs.values():
            program.terminate()
        return {name: program.exit_code() for name, program in self.programs.items()}

    def close(self) -> None:
        """End everything, whatever has happened."""
        with ExitStack() as ends:
            for program in self.programs.values():
                ends.callback(program.end)
            for program in self.programs.values():
                ends.callback(program.terminate)
            ends.callback(self._stack.close)
            self._dismiss_witnesses()

    def _dismiss_witnesses(self) -> None:
        while self.witnesses:
            self.witnesses.popitem()[1].stop()

    def family(self) -> set[int]:
        """Every process there ever was."""
        return {pid for program in self.programs.values() for pid in program.family}

    # --- the utility ---

    def call(self, event_id: str, *, start_in_s: float, duration_s: int, kw: float) -> Called:
        """Have the utility ask for so much less."""
        steps = [{"duration_s": duration_s, "value": -kw}]
        asked = {
            "event_id": event_id,
            "market_context": PROGRAM,
            "start_in_s": start_in_s,
            "signals": [{"intervals": steps}],
        }
        made = self.utility.post("/api/events", json=asked).raise_for_status().json()
        start, end = (datetime.fromisoformat(made[key]) for key in ("start", "end"))
        return Called(event_id=event_id, start=start, end=end)

    def answers(self, called: Called) -> list[tuple[int, list[str]]]:
        """Of each modification, what the VEN has answered."""
        event = self.utility.get(f"/api/events/{called.event_id}").raise_for_status().json()
        return [
            (delivery["modification"], [answer["opt"] for answer in delivery["answers"]])
            for delivery in event["deliveries"]
        ]

    def ven_seen_at(self) -> datetime:
        """When the gateway last spoke to the utility."""
        (ven,) = self.utility.get("/api/vens").raise_for_status().json()
        return datetime.fromisoformat(ven["last_seen_at"])

    # --- the gateway ---

    def portfolio(self) -> dict[str, Any]:
        """As the live page has it; nobody is there while the gateway does not answer."""
        return self._ask("/api/v1/portfolio") or {"sites_online": 0, "utilities": []}

    def instructions(self, called: Called, site_id: str) -> list[dict[str, Any]]:
        """Of one site, oldest first."""
        found = self._ask(f"{called.path}/instructions") or []
        return sorted(
            (one for one in found if one["site_id"] == site_id), key=lambda one: one["site_seq"]
        )

    def states(self, called: Called, site_id: str) -> dict[str, datetime]:
        """What became of the event at a site, as the gateway knows, and when first."""
        found: dict[str, datetime] = {}
        for instruction in self.instructions(called, site_id):
            for status in instruction["statuses"]:
                at = datetime.fromisoformat(status["at"])
                found[status["state"]] = min(at, found.get(status["state"], at))
        return found

    def limit_w(self, called: Called, site_id: str) -> float:
        """The loosest limit the site was ever told for the event."""
        steps = [s for one in self.instructions(called, site_id) for s in one["steps"]]
        return max(float(step["import_limit_w"]) for step in steps)

    def wait_state(
        self, called: Called, state: str, *sites: str, timeout_s: float = PATIENCE_S
    ) -> None:
        """Until every site (or these) has reached a state and the gateway knows."""
        for site_id in sites or SITES:
            eventually(
                partial(self._has_reached, called, site_id, state),
                timeout_s,
                f"{site_id}: {state}",
            )

    def _has_reached(self, called: Called, site_id: str, state: str) -> bool:
        return state in self.states(called, site_id)

    def wait_report(self, called: Called) -> dict[str, Any]:
        """The participation report; a restarted gateway waits for the sites to come back to it."""
        timeout_s = max(0.0, (called.end - now()).total_seconds()) + PATIENCE_S
        found = eventually(lambda: self._ask(f"{called.path}/reports"), timeout_s, "the report")
        return dict(self.gateway.get(found[-1]["json_url"]).raise_for_status().json())

    def _ask(self, path: str) -> Any:
        try:
            answer = self.gateway.get(path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    # --- the stores ---

    def stored(
        self, site_id: str, point: str, start: datetime, end: datetime
    ) -> list[tuple[datetime, float]]:
        """The values the gateway has of a point in `[start, end)`."""
        query = (
            "SELECT at_us, value FROM measurement WHERE site_id = ? AND point = ? "
            "AND at_us >= ? AND at_us < ? AND value IS NOT NULL ORDER BY at_us"
        )
        window = [int(at.timestamp() * 1e6) for at in (start, end)]
        rows = self._query(
            self.layout.gateway.data / "gateway.sqlite", query, site_id, point, *window
        )
        return [(datetime.fromtimestamp(at_us / 1e6, UTC), value) for at_us, value in rows]

    def times(self, site_id: str, point: str, start: datetime, end: datetime) -> list[datetime]:
        """When they were measured."""
        return [at for at, _ in self.stored(site_id, point, start, end)]

    def transactions(self, site_id: str) -> list[tuple[Any, ...]]:
        """Every charging session the agent has stored: id, EVSE, start, stop."""
        query = "SELECT id, evse_id, started_at, stopped_at FROM charging_transaction ORDER BY id"
        return self._query(self.layout.agents[site_id].data / "site.db", query)

    def dropped_rows(self) -> list[tuple[Any, ...]]:
        """What the gateway has written down as lost."""
        query = "SELECT subject, cause FROM journal WHERE action = 'telemetry gap'"
        return self._query(self.layout.gateway.data / "gateway.sqlite", query)

    def _query(self, path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def _client(self, url: str) -> httpx.Client:
        client = httpx.Client(base_url=url, trust_env=False, timeout=10.0)
        return self._stack.enter_context(client)


@contextmanager
def running_system(layout: SystemLayout) -> Iterator[System]:
    """Everything up; everything gone afterwards, also after a failure."""
    system = System(layout)
    try:
        system.heal()
        yield system
    finally:
        system.close()
