"""A real broker with mutual TLS, the gateway's end and sites' ends of the link."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nats.aio.client import Client
from nats.errors import NoServersError

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.errors import PermanentError, TransientError
from contracts.nats_server import NatsServer
from contracts.reading import Quality
from contracts.site_link.connection import Connection, Link, Login
from contracts.site_link.health import Health
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Credentials,
    Fallback,
    Hello,
    Instruction,
    InstructionAck,
    InstructionState,
    Measurement,
    NumberedRow,
    Renew,
    Row,
    Welcome,
)
from gateway.flows.sites.admission import Admission
from gateway.ports import AccessBook, SiteLink
from gateway.sites.bouncer import Bouncer
from gateway.sites.broker import broker_config
from gateway.sites.credentials import Authority, TlsFiles, issue_site_credentials
from gateway.sites.issuer import SiteIssuer
from gateway.sites.link import NatsSiteLink
from site_agent.uplink.link import NatsUplink

CLOCK = SystemClock()
HEALTH = Health(agent_version="test", protocol=1, uptime_s=60.0, waiting_rows=1, mode="normal")


def measurement(value: float, at: datetime = datetime(2026, 3, 1, tzinfo=UTC)) -> Measurement:
    return Measurement(at=at, point="pcc_power_w", value=value, quality=Quality.GOOD)


def instruction(site_id: str, site_seq: int = 1) -> Instruction:
    start = CLOCK.now()
    return Instruction(
        instruction_id=f"{site_id}-{site_seq}",
        site_id=site_id,
        site_seq=site_seq,
        event_id="event-1",
        program_id="program-1",
        issued_at=start,
        start=start,
        expires_at=start + timedelta(hours=1),
        steps=(),
        fallback=Fallback(),
    )


class Counter:
    """Something that grows, and can be waited for."""

    def __init__(self) -> None:
        self.value = 0
        self._changed = asyncio.Event()

    def add(self, amount: int = 1) -> None:
        self.value += amount
        self._changed.set()

    async def reaches(self, value: int) -> None:
        while self.value < value:
            self._changed.clear()
            await self._changed.wait()


class GatewayHandler:
    """`gateway.ports.SiteMessages` that stores in memory and resends what a site has not seen."""

    def __init__(self) -> None:
        self.later_rows: tuple[str, ...] = ()
        self.link: SiteLink | None = None
        self.hellos: list[Hello] = []
        self.rows: dict[tuple[str, str, int], Row] = {}
        self.greeted = Counter()
        self.stored = Counter()
        self.resent = Counter()
        self.unseen: list[Instruction] = []
        self.failing = False
        self.admission: Admission | None = None

    async def hello(self, hello: Hello) -> Welcome:
        self.hellos.append(hello)
        self.greeted.add()
        return Welcome(version=1, gateway_time=CLOCK.now(), rows=self.later_rows)

    async def batch(self, batch: Batch) -> BatchAck:
        if self.failing:
            raise TransientError("the database is busy")
        for row in batch.rows:
            key = (batch.site_id, batch.epoch, row.seq)
            if key not in self.rows:
                self.rows[key] = row.row
                self.stored.add()
        return BatchAck(epoch=batch.epoch, seq=batch.rows[-1].seq, gateway_time=CLOCK.now())

    async def renew(self, renew: Renew) -> Credentials:
        if self.admission is None:
            raise PermanentError("not here")
        return await self.admission.renew(renew)

    async def connected(self, site_id: str) -> None:
        assert self.link is not None
        last = [h.last_instruction_seq for h in self.hellos if h.site_id == site_id][-1]
        for unseen in self.unseen:
            if unseen.site_id == site_id and unseen.site_seq > last:
                await (await self.link.send(unseen))
                self.resent.add()


class MemoryOutbox:
    """`site_agent.ports.Outbox` without a file."""

    epoch = "epoch-1"

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._head = 0
        self._more = asyncio.Event()
        self.deleted = Counter()

    def head(self) -> int:
        return self._head

    async def append(self, rows: Sequence[Row]) -> int:
        for row in rows:
            self._head += 1
            self._rows[self._head] = row
        self._more.set()
        return self._head

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        left = sorted(seq for seq in self._rows if seq > after)[:limit]
        return [NumberedRow(seq=seq, row=self._rows[seq]) for seq in left]

    async def delete_through(self, seq: int) -> None:
        before = len(self._rows)
        self._rows = {at: row for at, row in self._rows.items() if at > seq}
        self.deleted.add(before - len(self._rows))

    async def wait_for_rows(self, after: int) -> None:
        while not any(seq > after for seq in self._rows):
            self._more.clear()
            await self._more.wait()


class Instructions:
    """`site_agent.ports.InstructionHandler` that stores in memory."""

    def __init__(self) -> None:
        self.stored: list[Instruction] = []
        self.silent = False

    def last_seq(self) -> int:
        return max((one.site_seq for one in self.stored), default=0)

    async def receive(self, instruction: Instruction) -> InstructionAck:
        if self.silent:
            raise TransientError("the disk is busy")
        self.stored.append(instruction)
        return InstructionAck(
            instruction_id=instruction.instruction_id,
            state=InstructionState.STORED,
            at=CLOCK.now(),
        )


@dataclass(frozen=True)
class Site:
    """One agent's end of the link."""

    uplink: NatsUplink
    outbox: MemoryOutbox
    instructions: Instructions


class Net:
    """Makes the parts of one test; everything started in it ends with it."""

    def __init__(self, pki: Pki, folder: Path) -> None:
        self.pki = pki
        self.folder = folder
        self.authority = Authority(folder / "nats")
        self.broker = NatsServer(self._config({}), folder / "broker", CLOCK)
        self.bouncer = Bouncer(self.broker, self._config)

    @property
    def server_files(self) -> TlsFiles:
        return TlsFiles(ca=self.pki.site_ca, cert=self.pki.broker.cert, key=self.pki.broker.key)

    def admission(self, book: AccessBook, life: timedelta = timedelta(days=1)) -> Admission:
        issuer = SiteIssuer(self.pki.site_ca, self.pki.site_ca_key, self.authority)
        return Admission(book, issuer, CLOCK, life=life)

    def _config(self, revoked: Mapping[str, datetime]) -> dict[str, object]:
        return broker_config(
            self.authority,
            self.server_files,
            host="127.0.0.1",
            port=-1,
            now=CLOCK.now(),
            revoked=revoked,
        )

    @property
    def servers(self) -> list[str]:
        return [f"tls://127.0.0.1:{self.broker.port}"]

    def site_files(self, site_id: str) -> TlsFiles:
        site = self.pki.sites[site_id]
        return TlsFiles(ca=self.pki.site_ca, cert=site.cert, key=site.key)

    def issue(self, site_id: str, life: timedelta = timedelta(days=1)) -> Path:
        folder, now = self.folder / site_id, CLOCK.now()
        issue_site_credentials(
            self.authority,
            site_id,
            self.site_files(site_id),
            folder,
            now=now,
            expires=now + life,
        )
        return folder

    def gateway_login(self) -> Callable[[], Login]:
        gateway = self.pki.gateway
        files = TlsFiles(ca=self.pki.site_ca, cert=gateway.cert, key=gateway.key)
        return self.authority.gateway_login(files, CLOCK)

    @asynccontextmanager
    async def gateway(
        self, handler: GatewayHandler, answer_s: float = 1.0
    ) -> AsyncIterator[NatsSiteLink]:
        link = NatsSiteLink(
            servers=self.servers, login=self.gateway_login(), clock=CLOCK, answer_s=answer_s
        )
        handler.link = link
        async with running(link.run(handler)):
            await link.listening.wait()
            yield link

    def make_site(
        self, site_id: str, life: timedelta = timedelta(days=1), folder: Path | None = None
    ) -> Site:
        """`folder`: of credentials it has already; else it is given some."""
        outbox, instructions = MemoryOutbox(), Instructions()
        uplink = NatsUplink(
            site_id=site_id,
            servers=self.servers,
            credentials=folder or self.issue(site_id, life),
            outbox=outbox,
            instructions=instructions,
            clock=CLOCK,
            agent_version="test",
            answer_s=0.5,
            health=lambda _: HEALTH,
        )
        return Site(uplink, outbox, instructions)

    @asynccontextmanager
    async def site(self, site_id: str = "depot-1") -> AsyncIterator[Site]:
        site = self.make_site(site_id)
        async with running(site.uplink.run()):
            await site.uplink.wait_connected()
            yield site

    @asynccontextmanager
    async def raw(self, login: Callable[[], Login]) -> AsyncIterator[tuple[Connection, Link]]:
        """A client of our choosing, for what an honest program would never do."""
        opened: asyncio.Queue[Link] = asyncio.Queue()

        async def session(link: Link) -> None:
            opened.put_nowait(link)
            await asyncio.Event().wait()

        connection = Connection(name="raw", servers=self.servers, login=login, clock=CLOCK)
        async with running(connection.run(session)):
            yield connection, await opened.get()

    async def knock(self, login: Login) -> None:
        """Connect once; raises what the other side, or we, have against it."""
        client = Client()

        async def ignore(_error: Exception) -> None:
            """The error is also raised, or kept as the last one."""

        try:
            await client.connect(
                self.servers,
                tls=login.tls,
                user_jwt_cb=lambda: bytearray(login.jwt.encode()),
                signature_cb=lambda nonce: base64.b64encode(login.key.sign(nonce.encode())),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=ignore,
            )
            await client.flush()
        except NoServersError as error:
            raise client.last_error or error from None
        finally:
            with suppress(TimeoutError):  # after a failed handshake it would wait for ever
                async with asyncio.timeout(0.2):
                    await client.close()


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()
