"""A VTN, a gateway as its VEN, and two live sites: everything real but the sites' hardware."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.openadr import codec
from contracts.openadr.payloads import Payload
from contracts.series import StepSeries
from contracts.site_link.messages import Instruction
from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.config import GatewaySettings
from gateway.store import documents
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from gridyard.credentials import make_credentials
from support.kill_system import KillSystem, running
from support.live_sites import POWER_W, LiveSites, live_sites
from support.ports import steady_ports
from support.processes import LOOPBACK, eventually
from support.system_layout import PROGRAM, UTILITY, VEN_ID, VEN_NAME
from support.waiting import PATIENCE_S
from vtn_sim.config import VtnSettings

SITES = ("depot-1", "depot-2")
TELLING = ("oadrCreatedEvent", "oadrCreateOpt", "oadrUpdateReport", "oadrCreatedReport")
"""What must neither be lost nor told twice."""
_LATE_S = 600.0
"""A gateway that is dead answers late: that is no fault here."""
_STEP = timedelta(minutes=5)


class OpenAdrKillSystem(KillSystem):
    """The programs, the sites, and what each of them shows of itself."""

    def __init__(self, folder: Path) -> None:
        self.pki = make_credentials(folder / "pki", SITES, SystemClock())
        vtn, api, link, web = steady_ports(4)
        gateway = _gateway(folder, self.pki, vtn, link, web)
        super().__init__(folder, _utility(self.pki, vtn, api), gateway, "/openadr/actions")
        asyncio.run(_load_history(gateway))
        self.server = f"tls://{LOOPBACK}:{link}"
        self._web = httpx.Client(
            base_url=f"http://{LOOPBACK}:{web}/api/v1", trust_env=False, timeout=PATIENCE_S
        )
        self._received: dict[int, dict[str, Any]] = {}

    def close(self) -> None:
        super().close()
        self._web.close()

    # --- the utility's side ---

    def heard(self, after: int) -> tuple[int, bool]:
        found = self.look("/messages", after=after, wait_s=0.1, limit=1000)
        received = [one for one in found if one["direction"] == "received"]
        self._received |= {one["number"]: one for one in received}
        newest = max((one["number"] for one in found), default=after)
        return newest, any(one["name"] in TELLING for one in received)

    @property
    def in_touch(self) -> bool:
        begun = self.gateway.log("openadr_own_certificate")
        seen = self.ven["last_seen_at"]
        return bool(begun and seen) and instant(seen) > instant(begun[0]["timestamp"])

    @property
    def ven(self) -> dict[str, Any]:
        """As the utility knows it."""
        (found,) = self.look("/vens")
        return dict(found)

    @property
    def offered(self) -> bool:
        """Whether it has offered reports, in any life."""
        self.heard(max(self._received, default=0))
        return any(one["name"] == "oadrRegisterReport" for one in self._received.values())

    @property
    def polls(self) -> int:
        """How often it has polled."""
        self.heard(max(self._received, default=0))
        return sum(one["name"] == "oadrPoll" for one in self._received.values())

    def told(self) -> list[tuple[Payload, int]]:
        """Everything the gateway told, each with how often it came, byte for byte."""
        self.heard(max(self._received, default=0))
        told = [one["xml"] for one in self._received.values() if one["name"] in TELLING]
        return [(codec.decode(xml.encode()), count) for xml, count in Counter(told).items()]

    def answers(self, event_id: str) -> dict[int, set[tuple[str, int]]]:
        """Of each modification that was sent, what was answered: opt and code."""
        deliveries = self.look(f"/events/{event_id}")["deliveries"]
        return {
            one["modification"]: {(answer["opt"], answer["code"]) for answer in one["answers"]}
            for one in deliveries
        }

    def requests(self) -> Mapping[str, dict[str, Any]]:
        """Every report request and what came of it, by its id."""
        return {one["report_request_id"]: one for one in self.look("/openadr/report-requests")}

    # --- the gateway's side ---

    def opt_out(self, event_id: str, site_id: str) -> bool:
        """Ask the gateway to take a site out of an event; whether it has."""
        wanted = {"site_id": site_id, "reason": "vans are needed"}
        try:
            answer = self._web.post(f"/events/{UTILITY}/{event_id}/opt-outs", json=wanted)
        except httpx.TransportError:
            return False
        return answer.status_code in (200, 201)

    @property
    def sites_offering(self) -> list[str]:
        """Those that offer to draw less, as the gateway says; nobody while it does not answer."""
        try:
            answer = self._web.get("/sites")
        except httpx.TransportError:
            return []
        return [one["site_id"] for one in answer.json() if one["flex_down_w"]]

    def instructions(self, event_id: str, site_id: str) -> Sequence[tuple[int, Instruction]]:
        """Those stored, in order, each with the modification of its plan."""
        query = (
            "SELECT json_extract(plan.document, '$.modification'), instruction.document "
            "FROM instruction JOIN plan USING (event_key, revision) "
            "WHERE event_key = ? AND site_id = ? ORDER BY site_seq"
        )
        rows = self._query(query, f"{UTILITY}/{event_id}", site_id)
        return [(number, documents.INSTRUCTION.load(json.loads(text))) for number, text in rows]

    def journal(self, event_id: str) -> list[str]:
        """What was written down about an event, in order."""
        query = "SELECT action FROM journal WHERE subject = ? ORDER BY id"
        return [action for (action,) in self._query(query, f"{UTILITY}/{event_id}")]

    def _query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@contextmanager
def kill_system(folder: Path) -> Iterator[tuple[OpenAdrKillSystem, LiveSites]]:
    """Everything up; gone afterwards, also after a failure."""
    system = OpenAdrKillSystem(folder)
    with running(system):
        # A site that finds nobody looks again only after a while.
        eventually(lambda: system.gateway.log("gateway_ready"), PATIENCE_S, "the gateway runs")
        with live_sites(SITES, system.pki.folder, system.server) as sites:
            yield system, sites


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _load_history(settings: GatewaySettings) -> None:
    """Flat days before now: whatever the hour of an event, its baseline never moves."""
    settings.data.mkdir(parents=True)
    database = Database.open(settings.database)
    store = SqlTelemetry(database, max_hold=_STEP)
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    past = Interval(start=now - timedelta(days=5), end=now)
    steps = StepSeries.of((piece, POWER_W) for piece in past.split(_STEP))
    for site_id in SITES:
        await store.insert_history(site_id, PCC_POWER_W, steps, "flat")
    database.close()


def _utility(pki: Pki, port: int, api_port: int) -> VtnSettings:
    return VtnSettings.model_validate(
        {
            "vtn_id": "CHAOS-VTN",
            "port": port,
            "api_port": api_port,
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "poll_frequency_s": 1,
            "resend_after_s": 5,
            "vens": [{"ven_id": VEN_ID, "name": VEN_NAME}],
            "report": None,
            "judge": {"answer_within_s": _LATE_S, "settle_s": _LATE_S},
            "keep_messages": 100_000,
        }
    )


def _gateway(folder: Path, pki: Pki, vtn: int, link: int, web: int) -> GatewaySettings:
    return GatewaySettings.model_validate(
        {
            "data": folder / "gateway",
            "sites": [
                {"site_id": s, "name": s, "time_zone": "UTC", "import_limit_w": 90_000.0}
                for s in SITES
            ],
            "programs": [
                {
                    "program_id": PROGRAM,
                    "name": "Depots",
                    "utility_id": UTILITY,
                    "baseline": {"day_type": "any", "adjustment": "none"},
                    "enrolments": [{"site_id": s, "nominated_w": 10_000.0} for s in SITES],
                }
            ],
            "openadr": [
                {
                    "utility_id": UTILITY,
                    "url": f"https://{LOOPBACK}:{vtn}/OpenADR2/Simple/2.0b",
                    "ven_name": VEN_NAME,
                    "ven_id": VEN_ID,
                    "ca": pki.utility_ca,
                    "cert": pki.ven.cert,
                    "key": pki.ven.key,
                    "max_backoff_s": 1,
                    "report_wait_s": _LATE_S,
                }
            ],
            "link": {
                "port": link,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
            },
            "web": {"port": web},
            "dispatch": {"review": timedelta(seconds=2), "restoration": None},
        }
    )
