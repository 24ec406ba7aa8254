"""The gateway of the fan-out bench: ledger, outgoing and link as `gateway.assembly` joins them.

Beside them bare nats-py sends the same payloads over a connection of its own and stores nothing.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from zoneinfo import ZoneInfo

from nats.aio.client import Client

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.errors import PermanentError
from contracts.nats_server import NatsServer
from contracts.series import StepSeries
from contracts.site_link import subjects
from contracts.site_link.codec import encode
from contracts.site_link.connection import Login
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Credentials,
    Fallback,
    Hello,
    Instruction,
    InstructionStatus,
    InstructionStep,
    Renew,
    Welcome,
)
from contracts.site_link.nkey import Nkey, Role
from contracts.tasks import first_of
from gateway.config import LinkEntry
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.portfolio import Site
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.sites.broker import broker_config
from gateway.sites.credentials import Authority, TlsFiles
from gateway.sites.link import NatsSiteLink
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gridyard.bench.fanout_sites import Pass
from gridyard.bench.processes import order, quietly

STEPS = 4
"""Of each instruction: an hour in quarters."""
_CLOCK = SystemClock()
_UTC = ZoneInfo("UTC")
_LIFE, _QUARTER = timedelta(hours=1), timedelta(minutes=15)
_PATIENCE_S = 60
EVENT = "bench/event"


class CountingLedger(SqlLedger):
    """Says when so many acknowledgements are stored."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.stored = 0
        self._more = asyncio.Event()

    async def put_statuses(self, statuses: Sequence[tuple[str, InstructionStatus]]) -> None:
        """As ever, and count."""
        await super().put_statuses(statuses)
        self.stored += len(statuses)
        self._more.set()

    async def reaches(self, count: int) -> None:
        """Return when so many are stored."""
        while self.stored < count:
            self._more.clear()
            await self._more.wait()


class _SilentSites:
    """`gateway.ports.SiteMessages`: the sites of this bench say nothing by themselves."""

    async def hello(self, hello: Hello) -> Welcome:
        raise PermanentError(hello.kind)

    async def batch(self, batch: Batch) -> BatchAck:
        raise PermanentError(batch.kind)

    async def renew(self, renew: Renew) -> Credentials:
        raise PermanentError(renew.kind)

    async def connected(self, site_id: str) -> None:
        raise PermanentError(site_id)


class Side:
    """One gateway with so many sites; `revision` counts its plans."""

    def __init__(self, link: NatsSiteLink, database: Database, sites: Sequence[str]) -> None:
        self._ledger = CountingLedger(database)
        known = [Site(site_id=s, name=s, time_zone=_UTC, import_limit_w=1e6) for s in sites]
        live = Live(known, _CLOCK, offline_after=_LIFE)
        self.outgoing = Outgoing(link, self._ledger, live, _CLOCK)
        self._sites = sites
        self._revision = 0

    def payloads(self) -> list[tuple[str, bytes]]:
        """What a plan sends, by subject."""
        return [
            (subjects.down(one.site_id, subjects.INSTRUCTION), encode(one))
            for one in self._instructions(0)
        ]

    async def plan(self) -> tuple[float, float, float]:
        """Store a plan, send it, wait for all: when it began, was committed, was acknowledged."""
        self._revision += 1
        plan, wanted = self._plan(), self._instructions(self._revision)
        begun_s = time.monotonic()
        told = await self._ledger.put_plan(plan, wanted)
        committed_s = time.monotonic()
        self.outgoing.send(told)
        await self._ledger.reaches(self._revision * len(self._sites))
        return begun_s, committed_s, time.monotonic()

    async def count(self) -> int:
        """How many acknowledgements the database holds."""
        return sum(len(one.statuses) for one in await self._ledger.instructions(EVENT))

    def _instructions(self, revision: int) -> list[Instruction]:
        now = _CLOCK.now()
        steps = tuple(
            InstructionStep(
                start=now + n * _QUARTER, end=now + (n + 1) * _QUARTER, import_limit_w=50e3 - n
            )
            for n in range(STEPS)
        )
        return [
            Instruction(
                instruction_id=f"{site_id}-{revision}",
                site_id=site_id,
                site_seq=max(1, revision),
                event_id=EVENT,
                program_id="program",
                issued_at=now,
                start=now,
                expires_at=now + _LIFE,
                steps=steps,
                fallback=Fallback(),
                cause="a bench asks every site for its share",
            )
            for site_id in self._sites
        ]

    def _plan(self) -> DispatchPlan:
        return DispatchPlan(
            event_key=EVENT,
            modification=0,
            revision=self._revision,
            created_at=_CLOCK.now(),
            reason="bench",
            target=StepSeries(),
            allocations=(),
            shortfall=StepSeries(),
        )


def gateway(folder: Path, pki: Pki, count: int, pipe: Connection) -> None:
    """Says its port and the passes of `count` sites, then obeys.

    `"publish"`: when bare messages began to leave; `"request"`: the same with answers, and when
    the last came; `"plan"`: see `Side.plan`; `"count"`: see `Side.count`.
    """
    quietly(_gateway(folder, pki, count, pipe))


async def _gateway(folder: Path, pki: Pki, count: int, pipe: Connection) -> None:
    authority, sites = Authority(pki.nats), [f"site-{number}" for number in range(count)]
    broker_tls = TlsFiles(ca=pki.site_ca, cert=pki.broker.cert, key=pki.broker.key)
    own_tls = TlsFiles(ca=pki.site_ca, cert=pki.gateway.cert, key=pki.gateway.key)
    now, login = _CLOCK.now(), authority.gateway_login(own_tls, _CLOCK)
    config = broker_config(authority, broker_tls, host="127.0.0.1", port=0, now=now, revoked={})
    broker = NatsServer(config, folder / "broker", _CLOCK)
    database = Database.open(folder / "gateway.db")

    async def serve() -> None:
        await broker.ready.wait()
        pipe.send((broker.port, [_pass(authority, site_id) for site_id in sites]))
        await order(pipe)
        servers = [f"tls://127.0.0.1:{broker.port}"]
        link = NatsSiteLink(
            servers=servers,
            login=login,
            clock=_CLOCK,
            answer_s=LinkEntry.model_fields["answer_s"].default,
        )
        side, client = Side(link, database, sites), await _connected(servers, login())
        await first_of(
            link.run(_SilentSites()), side.outgoing.run(), _obey(link, side, client, pipe)
        )

    try:
        await first_of(broker.run(), serve())
    finally:
        database.close()


async def _obey(link: NatsSiteLink, side: Side, client: Client, pipe: Connection) -> None:
    await link.listening.wait()
    payloads = side.payloads()
    while (what := await order(pipe)) is not None:
        match what:
            case "publish":
                pipe.send(await _publish(client, payloads))
            case "request":
                pipe.send(await _request(client, payloads))
            case "plan":
                pipe.send(await side.plan())
            case _:
                pipe.send(await side.count())


async def _publish(client: Client, payloads: Sequence[tuple[str, bytes]]) -> float:
    begun_s = time.monotonic()
    for subject, data in payloads:
        await client.publish(subject, data)
    await client.flush(_PATIENCE_S)
    return begun_s


async def _request(client: Client, payloads: Sequence[tuple[str, bytes]]) -> tuple[float, float]:
    begun_s = time.monotonic()
    async with asyncio.TaskGroup() as requests:
        for subject, data in payloads:
            requests.create_task(client.request(subject, data, timeout=_PATIENCE_S))
    return begun_s, time.monotonic()


def _pass(authority: Authority, site_id: str) -> Pass:
    key, now = Nkey.make(Role.USER), _CLOCK.now()
    return site_id, authority.site_jwt(site_id, key.public, now, now + _LIFE), key.seed


async def _connected(servers: list[str], login: Login) -> Client:
    """As nats-py connects by itself, but for who we are."""
    client = Client()
    await client.connect(
        servers,
        tls=login.tls,
        user_jwt_cb=lambda: bytearray(login.jwt.encode()),
        signature_cb=lambda nonce: base64.b64encode(login.key.sign(nonce.encode())),
    )
    return client
