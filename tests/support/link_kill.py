"""Programs for the kill loops of the site link: a gateway, its broker and a site, each on its own.

The gateway keeps asking every site for something new that soon expires; the site keeps measuring
and writes down, fifty times a second, which instruction it would act on.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from certs.pki import make_test_pki
from contracts.clock import SystemClock
from contracts.nats_server import NatsServer
from contracts.reading import Quality
from contracts.site_link.messages import Fallback, Instruction, InstructionStep, Measurement
from contracts.tasks import first_of
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.sites.inbox import SiteInbox
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.sites.broker import broker_config
from gateway.sites.credentials import Authority, TlsFiles, issue_site_credentials
from gateway.sites.link import NatsSiteLink
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from site_agent.domain.instruction import in_force
from site_agent.flows.orders.instructions import Instructions
from site_agent.store.sqlite import open_store
from site_agent.uplink.link import NatsUplink
from support.gateway_store import dispatch_plan
from support.site import model

EVENT, POINT = "u1/e1", "pcc_power_w"
LIFE = timedelta(seconds=1.5)
"""Of an instruction: shorter than the longest outage of these loops."""
_CLOCK = SystemClock()
_EACH = 20
"""Rows a site stores at once."""


def gateway_db(folder: Path) -> Path:
    return folder / "gateway.db"


def site_db(folder: Path, site_id: str) -> Path:
    return folder / f"{site_id}.db"


def acted_log(folder: Path, site_id: str) -> Path:
    return folder / f"{site_id}.acted"


def broker_pid(folder: Path) -> Path:
    return folder / "broker.pid"


def prepare(folder: Path, sites: list[str]) -> None:
    """Keys, certificates and credentials of everybody."""
    pki = make_test_pki(folder / "pki", sites=sites)
    now, authority = _CLOCK.now(), Authority(pki.nats)
    for site_id in sites:
        own = pki.sites[site_id]
        tls = TlsFiles(ca=pki.site_ca, cert=own.cert, key=own.key)
        ends = now + timedelta(days=1)
        issue_site_credentials(authority, site_id, tls, folder / site_id, now=now, expires=ends)


async def gateway(folder: Path, port: int, sites: list[str], *, quiet: bool) -> None:
    """Takes what `sites` send and instructs them anew every half second, until killed."""
    pki = make_test_pki(folder / "pki", sites=sites)
    authority = Authority(pki.nats)
    server = TlsFiles(ca=pki.site_ca, cert=pki.broker.cert, key=pki.broker.key)
    own = TlsFiles(ca=pki.site_ca, cert=pki.gateway.cert, key=pki.gateway.key)
    config = broker_config(
        authority, server, host="127.0.0.1", port=port, now=_CLOCK.now(), revoked={}
    )
    broker = NatsServer(config, folder / "broker", _CLOCK)
    database = Database.open(gateway_db(folder))
    link = NatsSiteLink(
        servers=[f"tls://127.0.0.1:{port}"],
        login=authority.gateway_login(own, _CLOCK),
        clock=_CLOCK,
        answer_s=1.0,
    )
    portfolio = Portfolio(sites=tuple(_site(site_id) for site_id in sites))
    live = Live(portfolio.sites, _CLOCK, offline_after=timedelta(minutes=1))
    ledger = SqlLedger(database)
    telemetry = SqlTelemetry(database, max_hold=timedelta(minutes=1))
    outgoing = Outgoing(link, ledger, live, _CLOCK)
    planner: Any = SimpleNamespace(request_all=lambda _reason="": None)
    inbox = SiteInbox(portfolio, ledger, telemetry, live, planner, outgoing, _CLOCK)
    await first_of(
        broker.run(),
        _tell_pid(broker, folder),
        link.run(inbox),
        outgoing.run(),
        _instruct(ledger, outgoing, [] if quiet else sites),
    )


def _site(site_id: str) -> Site:
    return Site(site_id=site_id, name=site_id, time_zone=ZoneInfo("UTC"), import_limit_w=1e5)


async def _tell_pid(broker: NatsServer, folder: Path) -> None:
    while True:
        await broker.ready.wait()
        broker_pid(folder).write_text(str(broker.pid))
        await _CLOCK.sleep(0.05)


async def _instruct(ledger: SqlLedger, outgoing: Outgoing, sites: list[str]) -> None:
    while True:
        revision = len(await ledger.plans(EVENT)) + 1
        plan = replace(dispatch_plan(revision), event_key=EVENT)
        told = await ledger.put_plan(plan, [_instruction(one, revision) for one in sites])
        outgoing.send(told)
        await _CLOCK.sleep(0.5)


def _instruction(site_id: str, revision: int) -> Instruction:
    now = _CLOCK.now()
    step = InstructionStep(start=now, end=now + LIFE, import_limit_w=10_000.0 + revision)
    return Instruction(
        instruction_id=f"{site_id}-{revision}",
        site_id=site_id,
        site_seq=1,
        event_id="e1",
        program_id="p",
        issued_at=now,
        start=now,
        expires_at=now + LIFE,
        steps=(step,),
        fallback=Fallback(),
    )


async def site(folder: Path, port: int, site_id: str, wanted: int) -> None:
    """Stores rows until it has `wanted`, sends them, acts on what it is told, until killed."""
    store = open_store(site_db(folder, site_id), _CLOCK.now())
    wake = asyncio.Event()
    own_model = replace(model(), site_id=site_id)
    instructions = Instructions(own_model, store.instructions, _CLOCK, wake.set)
    await instructions.load()
    uplink = NatsUplink(
        site_id=site_id,
        servers=[f"tls://127.0.0.1:{port}"],
        credentials=folder / site_id,
        outbox=store.outbox,
        instructions=instructions,
        clock=_CLOCK,
        agent_version="test",
        answer_s=1.0,
    )

    async def measure() -> None:
        while True:
            now = _CLOCK.now()
            if store.outbox.head() < wanted:
                await store.outbox.append([_row(now, n) for n in range(_EACH)])
            await _CLOCK.sleep(0.04)

    async def act() -> None:
        with acted_log(folder, site_id).open("a", buffering=1) as log:
            while True:
                now = _CLOCK.now()
                held = instructions.held
                acted = [one.instruction.site_seq for one in in_force(held, now)]
                words = [now.isoformat(), acted, instructions.last_seq(), len(held)]
                log.write(json.dumps(words) + "\n")
                await _CLOCK.sleep(0.02)

    await first_of(uplink.run(), instructions.run(), measure(), act())


def _row(now: Any, n: int) -> Measurement:
    at = now + n * timedelta(microseconds=1)
    return Measurement(at=at, point=POINT, value=float(n), quality=Quality.GOOD)


if __name__ == "__main__":
    role, where, at_port, *rest = sys.argv[1:]
    if role in ("gateway", "quiet"):
        asyncio.run(gateway(Path(where), int(at_port), rest, quiet=role == "quiet"))
    else:
        asyncio.run(site(Path(where), int(at_port), rest[0], int(rest[1])))
