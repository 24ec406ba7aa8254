"""One charging station over all its connections: adopt it, set it up, keep it honest."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from websockets.frames import CloseCode

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.authorization.offline import OfflineRules
from site_agent.devices.ocpp.authorization.tokens import Certificates
from site_agent.devices.ocpp.evse import refusal
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.known import foreign
from site_agent.devices.ocpp.known.desk import CertificateDesk
from site_agent.devices.ocpp.known.inventory import Inventory
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.limits.knowledge import Model, Models
from site_agent.devices.ocpp.limits.profiles import Capabilities
from site_agent.devices.ocpp.limits.turns import Turns
from site_agent.devices.ocpp.proxy.proxy import CloudProxy
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.versions.dialect import Dialect, Nameplate, Trigger
from site_agent.devices.ocpp.versions.hearing import Outlet
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.line import Line
from site_agent.devices.ocpp.wire.outbox import Priority, Request
from site_agent.devices.ocpp.wire.session import Session
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.devices.ocpp.wire.trace import Trace
from site_agent.domain.fleet.access import Access, Offline, Running, Verdict
from site_agent.domain.fleet.identity import Presented, hinted
from site_agent.ports import KeyValues, SessionStore, Wake

_log = structlog.get_logger(__name__)


class Station:
    """A charging station; the newest of its connections counts."""

    def __init__(
        self,
        config: StationConfig,
        *,
        timing: Timing,
        clock: Clock,
        sessions: SessionStore,
        access: Access,
        running: Callable[[], Collection[Running]] = tuple,
        wake: Wake,
        models: Models | None = None,
        memory: KeyValues | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.config = config
        self.timing = timing
        self.tally = Tally(config.charge_point_id)
        self.nameplate: Nameplate | None = None
        self.inventory = Inventory(config.charge_point_id, self.tally)
        self.desk: CertificateDesk | None = None
        """Answers for certificates, if anybody does."""
        self.proxy: CloudProxy | None = None
        """The way to its cloud CSMS, if it has one."""
        self.new_password: str | None = None
        """One that it has just been given (`Dialect.change_password`), good beside that of the
        settings until this process ends: by then the settings must have it."""
        self.generation = 0
        """How many connections there have been."""
        self.trace = Trace(clock)
        self._clock = clock
        self.access = access
        self._running = running
        self.certificates = Certificates()
        evse_ids = tuple(spec.evse_id for spec in config.evses.values())
        self._offline = OfflineRules(access, evse_ids, config.charge_point_id)
        self._log = _log.bind(charge_point=config.charge_point_id)
        self._link: Link | None = None
        self._capabilities = Capabilities()
        self._commands = itertools.count()
        self._booted = asyncio.Event()
        self._introduced = asyncio.Event()
        self._models = models or Models(memory)
        self._model: Model | None = None
        self._boot_awaited = False
        charger = partial(
            OcppCharger,
            alone=len(config.evses) == 1,
            timing=timing,
            clock=clock,
            sessions=sessions,
            wake=wake,
            tally=self.tally,
            access=access,
            memory=memory,
        )
        self.evses: Mapping[int, OcppCharger] = {
            connector: charger(spec, connector) for connector, spec in config.evses.items()
        }
        for evse in self.evses.values():
            evse.steering.turns = turns or evse.steering.turns

    # --- what the charger tells -------------------------------------------------------------------

    def now(self) -> datetime:
        """For answers that carry the time."""
        return self._clock.now()

    def evse(self, connector: int) -> OcppCharger:
        """The EVSE with this number.

        Raises:
            CallFaultError: there is none in the settings.
        """
        if connector not in self.evses:
            raise CallFaultError(Fault.VALUE, f"connector {connector} is not configured")
        return self.evses[connector]

    async def evse_of(self, ref: str) -> OcppCharger:
        """The EVSE that runs or ran this transaction (its id on the wire); else the first one."""
        evses = list(self.evses.values())
        for evse in evses:
            if evse.runs(ref):
                return evse
        for evse in evses:
            if await evse.knows(ref):
                return evse
        return evses[0]

    def verdict(self, presented: Presented, starts_at: Outlet | None = None) -> Verdict:
        """Whether this may charge: where it starts, else at any EVSE of the station."""
        if starts_at is None:
            evses = tuple(one.spec.evse_id for one in self.evses.values())
            verdict = self.access.verdict(presented, evses, self.now())
        else:
            evses = (starts_at.spec.evse_id,)
            verdict = self.access.verdict(presented, evses, self.now(), self._running())
        self._log.info(
            "judged", card=hinted(presented.token), status=verdict.status, cause=verdict.cause
        )
        return verdict

    def boot(self, nameplate: Nameplate) -> None:
        """The charger introduces itself; unless we asked for it, it has restarted."""
        if nameplate != self.nameplate:
            self.nameplate = nameplate
            self._introduced.set()
            self._log.info("charger introduced itself", model=nameplate.model[:50])
        if self._boot_awaited:
            self._boot_awaited = False
            return
        for evse in self.evses.values():
            evse.rebooted()
        self._booted.set()

    # --- what the charger is told -----------------------------------------------------------------

    @property
    def link(self) -> Link | None:
        """The connection in use, if any."""
        return self._link

    @property
    def passwords(self) -> list[str]:
        """Those it may show; none: it need not show any."""
        if self.config.password is None:
            return []
        return [self.config.password, *filter(None, [self.new_password])]

    @property
    def version(self) -> Version | None:
        """The OCPP version of the connection in use."""
        return None if self._link is None else self._link.dialect.version

    async def command(self, request: Request) -> Json:
        """Send any CALL that its version knows (a person, a proxy) and wait for the result.

        Raises:
            OutboundError: it breaks its schema.
            CallRefusedError: answered by CALLERROR.
            TransientError: offline, or no answer.
        """
        link = self._link
        if link is None:
            raise LinkDownError(f"{self.config.charge_point_id}: offline")
        key = ("command", self.generation, next(self._commands))
        return await link.session.call(request, key=key, priority=Priority.ROUTINE, vital=False)

    # --- connections ------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Adopt transactions that outlived the process before this one."""
        await self._identify()
        for evse in self.evses.values():
            await evse.restore()

    async def serve(self, socket: Line, dialect: Dialect) -> None:
        """Serve a connection until it ends; an older one has to go."""
        session = Session(
            socket,
            dialect=dialect,
            serve=lambda action, payload: self._answer(dialect, action, payload),
            clock=self._clock,
            timeout_s=self.timing.call_timeout_s,
            tally=self.tally,
            trace=self.trace,
        )
        link = self._replace(Link(session=session, dialect=dialect))
        try:
            async with asyncio.TaskGroup() as tasks:
                upkeep = tasks.create_task(self._look_after(link))
                await session.run()
                upkeep.cancel()
        finally:
            code = int(socket.close_code or 0)
            self._log.info("charger disconnected", code=code)
            self.trace.closed(code, replaced=self._link is not link)
            if self._link is link:
                self._link = None
            for evse in self.evses.values():
                evse.disconnected(link)

    async def _answer(self, dialect: Dialect, action: str, payload: Json) -> Json:
        if self.proxy is None:
            answer = await dialect.serve(self, action, payload)
        else:
            answer = await self.proxy.serve(
                dialect.version, action, payload, lambda: dialect.serve(self, action, payload)
            )
        if answer and refusal.VERDICTS & answer.keys():
            anyone = self.access.offline is Offline.ANYONE and not self.config.cloud_judges
            now = self.now()
            await refusal.note(self.evses.values(), payload, answer, anyone=anyone, now=now)
        return answer

    def _replace(self, link: Link) -> Link:
        if self._link is not None:
            self.tally.note("second connection")
            self._link.session.end(CloseCode.POLICY_VIOLATION, "replaced by a newer connection")
        self.generation += 1
        self._link = link
        self._boot_awaited = False
        self._booted.clear()
        self.trace.opened(link.dialect.version)
        self._log.info("charger connected", version=link.dialect.version)
        for evse in self.evses.values():
            evse.connected(link)
        return link

    async def _look_after(self, link: Link) -> None:
        """Set the charger up, now and after every reboot, and keep its limits alive."""
        await self._greeted(link.session)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._probe(link))
                tasks.create_task(self._identify_forever())
                tasks.create_task(foreign.watch(self, link, self._clock))
                for evse in self.evses.values():
                    tasks.create_task(evse.steering.keep())
                    tasks.create_task(evse.refusal.watch(link))
                await self._set_up_forever(link)
        except* LinkDownError:
            self._log.debug("connection gone during upkeep")

    async def _set_up_forever(self, link: Link) -> None:
        while True:
            booted = self._booted.is_set()
            self._booted.clear()
            await self._set_up(link, booted=booted)
            await self._booted.wait()

    async def _greeted(self, session: Session) -> None:
        """The charger speaks first if it wants to boot; if it does not, we do not wait for it."""
        try:
            async with asyncio.timeout(self.timing.greeting_s):
                await session.spoken.wait()
        except TimeoutError:
            self._log.debug("charger did not greet")

    async def _probe(self, link: Link) -> None:
        """Ask a silent charger for a sign of life; `Outbox` ends a connection that gives none."""
        half = self.timing.silence_s / 2
        while True:
            await self._clock.sleep(half / 2)
            if self._clock.now() - link.session.last_seen >= timedelta(seconds=half):
                await self._ask(link, link.dialect.probe(), vital=True)

    # --- set-up: best effort throughout -----------------------------------------------------------

    async def _set_up(self, link: Link, *, booted: bool) -> None:
        await self._identify()
        settings = await self._read_settings(link)
        link.capabilities = self._capabilities
        link.ready = True
        for evse in self.evses.values():
            try:
                await evse.set_up(link)
            except LinkDownError:
                raise
            except (TransientError, PermanentError) as error:
                self._log.warning("fail-safe share not installed", reason=str(error))
        for ways in link.dialect.changes(
            settings, self.timing.meter_interval_s, self.timing.heartbeat_s
        ):
            await self._change(link, ways)
        await self._ask_for_news(link, booted=booted)
        if not self.config.cloud_judges:  # else its list and its settings are the cloud's
            await self._offline.keep(
                link.dialect, lambda request: self._ask(link, request), self._clock.now()
            )

    async def _read_settings(self, link: Link) -> dict[str, str]:
        answer = await self._ask(link, link.dialect.read_settings())
        if answer is None:
            return {}  # the capabilities read last time still stand
        settings = link.dialect.settings(answer)
        self._capabilities = link.dialect.capabilities(settings)
        if settings and self._model is not None:
            await self._model.learn(capabilities=self._capabilities)
        return settings

    async def _identify(self) -> None:
        """What is known of its kind; what it says itself of its settings goes first."""
        model = await self._models.of(self.config.charge_point_id, self.nameplate)
        if model is self._model:
            return
        self._model = model
        if model.known.capabilities is not None:
            self._capabilities = model.known.capabilities
        for evse in self.evses.values():
            evse.is_a(model)

    async def _identify_forever(self) -> None:
        while True:
            await self._introduced.wait()
            self._introduced.clear()
            await self._identify()

    async def _change(self, link: Link, ways: Sequence[Request]) -> None:
        for request in ways:
            answer = await self._ask(link, request)
            if answer is not None and link.dialect.accepted(answer):
                return
        self._log.info("charger keeps its setting", wanted=str(ways[0].payload)[:200])

    async def _ask_for_news(self, link: Link, *, booted: bool) -> None:
        for connector in self.evses:
            await self._ask(link, link.dialect.trigger(Trigger.STATUS, connector))
            await self._ask(link, link.dialect.trigger(Trigger.METER, connector))
        if not booted and not self._booted.is_set():
            self._boot_awaited = True
            answer = await self._ask(link, link.dialect.trigger(Trigger.BOOT, None))
            if answer is None or not link.dialect.accepted(answer):
                self._boot_awaited = False

    async def _ask(self, link: Link, request: Request, *, vital: bool = False) -> Json | None:
        """The answer, or None: not everything is known everywhere, and nothing here is fatal.

        Raises:
            LinkDownError: the connection is gone.
        """
        key = (request.action, str(request.payload))
        try:
            return await link.session.call(request, key=key, priority=Priority.ROUTINE, vital=vital)
        except LinkDownError:
            raise
        except (TransientError, PermanentError, ProtocolError) as error:
            self._log.info("best effort failed", action=request.action, reason=str(error))
            return None
