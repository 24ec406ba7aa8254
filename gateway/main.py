"""Wire the gateway: store, flows, broker and link, utilities, web, the leader's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from contracts.http_server import serve
from contracts.identity import client_context
from contracts.nats_server import NatsServer
from contracts.time import Clock
from gateway.config import GatewaySettings, LinkEntry
from gateway.domain.portfolio import Portfolio
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.dispatch.delivering import Delivering
from gateway.flows.dispatch.situation import Observer
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.events.controls import Controls
from gateway.flows.events.intake import Intake
from gateway.flows.events.lifecycle import Lifecycle
from gateway.flows.report.settlement import Settlement
from gateway.flows.sites.admission import Admission, keep_out
from gateway.flows.sites.envelopes import Envelopes
from gateway.flows.sites.inbox import SiteInbox
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.flows.sites.presence import Attendance
from gateway.flows.upstream.participation import Participants
from gateway.flows.upstream.resources import ResourceReports
from gateway.flows.upstream.usage import StateReports, UsageReports
from gateway.ports import UtilityLink
from gateway.prices.side import PriceSide
from gateway.reports.document import dump
from gateway.sites.bouncer import Bouncer
from gateway.sites.broker import broker_config
from gateway.sites.credentials import Authority, TlsFiles
from gateway.sites.enrolment import EnrolmentDoor
from gateway.sites.issuer import SiteIssuer
from gateway.sites.link import NatsSiteLink
from gateway.sites.presence import Presence
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.leader import leadership
from gateway.store.ledger import SqlLedger
from gateway.store.prices import SqlPrices
from gateway.store.telemetry import SqlTelemetry
from gateway.store.utility_memory import SqlUtilityMemory
from gateway.utility.openadr.ven import OpenAdrVen
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator
from gateway.web.app import create_app
from gateway.web.state import LOOPBACK, WebState

_log = structlog.get_logger(__name__)

MAX_HOLD = timedelta(minutes=5)
"""A measured value stands for at most this long when the next one does not come."""
OFFLINE_AFTER = timedelta(seconds=30)
_BASELINE_REFRESH = timedelta(minutes=5)
_RECENT = timedelta(minutes=15)
_TICK_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAddresses:
    """Where the running gateway can be reached."""

    web_url: str
    link_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What the adapters share."""

    portfolio: Portfolio
    ledger: SqlLedger
    telemetry: SqlTelemetry
    delivery: SqlDelivery
    live: Live
    outgoing: Outgoing
    dispatch: Dispatch
    envelopes: Envelopes
    intake: Intake
    inbox: SiteInbox
    lifecycle: Lifecycle
    link: NatsSiteLink
    prices: PriceSide


async def run(
    config: GatewaySettings,
    clock: Clock,
    stopping: asyncio.Event,
    ready: Callable[[GatewayAddresses], None] | None = None,
) -> None:
    """Run the gateway until `stopping` is set; `ready` is told the addresses once it serves.

    Raises:
        PermanentError: another gateway runs on the data folder, or a port is taken.
        ConfigError: a certificate or key cannot be used, or the database is a newer release's.
    """
    with leadership(config.data):
        database = await asyncio.to_thread(Database.open, config.database)
        try:
            await _run(config, clock, stopping, ready, database)
        finally:
            database.close()


async def _run(
    config: GatewaySettings,
    clock: Clock,
    stopping: asyncio.Event,
    ready: Callable[[GatewayAddresses], None] | None,
    database: Database,
) -> None:
    authority = Authority(config.link.nats)
    book = SqlAccessBook(database)
    revoked = await book.revoked(clock.now())
    broker_settings = partial(_broker_settings, config.link, authority, clock)
    broker = NatsServer(broker_settings(revoked), config.data / "broker", clock)
    admission = _admission(config.link, authority, book, clock)
    async with asyncio.TaskGroup() as tasks:
        broker_task = tasks.create_task(broker.run())
        await broker.ready.wait()
        link = _link(config.link, authority, broker.port, clock)
        core = _core(config, clock, database, link, admission)
        attendance = Attendance(core.portfolio, core.live, core.ledger, book, clock)
        await core.inbox.restore()
        await core.prices.restore()
        core.inbox.on_hello(core.prices.sites.heard)
        memory = SqlUtilityMemory(database)
        utilities = _utilities(config, clock, core, memory)
        work = [
            tasks.create_task(core.link.run(core.inbox)),
            tasks.create_task(core.outgoing.run()),
            tasks.create_task(core.dispatch.run()),
            tasks.create_task(core.envelopes.run()),
            *(tasks.create_task(one) for one in core.prices.runs()),
            tasks.create_task(keep_out(book, Bouncer(broker, broker_settings), clock, revoked)),
            tasks.create_task(
                _presence(config.link, authority, broker.port, clock).run(attendance)
            ),
            tasks.create_task(_serve_door(config.link, admission, clock)),
            tasks.create_task(_keep_time(core.lifecycle, stopping)),
            *(tasks.create_task(utility.run()) for utility in utilities),
        ]
        await _serve_web(config, clock, stopping, core, utilities, memory, broker.port, ready)
        for task in work:
            task.cancel()
        await asyncio.wait(work)
        broker_task.cancel()


def _core(
    config: GatewaySettings,
    clock: Clock,
    database: Database,
    link: NatsSiteLink,
    admission: Admission | None,
) -> _Core:
    """The flows over the store and the link."""
    portfolio, options = config.portfolio(), config.dispatch.options()
    ledger, telemetry = SqlLedger(database), SqlTelemetry(database, max_hold=MAX_HOLD)
    live = Live(portfolio.sites, clock, offline_after=OFFLINE_AFTER)
    baselines = Baselines(portfolio, telemetry, refresh=_BASELINE_REFRESH, recent=_RECENT)
    observer = Observer(portfolio, ledger, live, baselines, options, config.dispatch.splitting())
    outgoing = Outgoing(link, ledger, live, clock)
    delivery = SqlDelivery(database)
    delivering = Delivering(live, delivery, ledger, options)
    dispatch = Dispatch(ledger, live, observer, baselines, outgoing, delivering, clock, options)
    settlement = Settlement(portfolio, ledger, telemetry, baselines, dump, clock)
    return _Core(
        portfolio=portfolio,
        ledger=ledger,
        telemetry=telemetry,
        delivery=delivery,
        live=live,
        outgoing=outgoing,
        dispatch=dispatch,
        envelopes=Envelopes(portfolio, ledger, outgoing, clock),
        intake=Intake(portfolio, ledger, dispatch, clock),
        inbox=SiteInbox(
            portfolio, ledger, telemetry, live, dispatch, outgoing, clock, admission=admission
        ),
        lifecycle=Lifecycle(
            portfolio, ledger, dispatch, settlement, clock, config.reports.options()
        ),
        link=link,
        prices=PriceSide(config.prices, SqlPrices(database), ledger, link, clock),
    )


def _broker_settings(
    entry: LinkEntry, authority: Authority, clock: Clock, revoked: Mapping[str, datetime]
) -> dict[str, object]:
    """Of the embedded broker that sites connect to."""
    tls = TlsFiles(ca=entry.ca, cert=entry.broker_cert, key=entry.broker_key)
    return broker_config(
        authority,
        tls,
        host=entry.host,
        port=entry.port or -1,
        now=clock.now(),
        revoked=revoked,
    )


def _admission(
    entry: LinkEntry, authority: Authority, book: SqlAccessBook, clock: Clock
) -> Admission | None:
    """What issues credentials, where that is wanted."""
    if entry.enrolment is None:
        return None
    issuer = SiteIssuer(entry.ca, entry.enrolment.ca_key, authority)
    return Admission(book, issuer, clock, life=entry.enrolment.life)


async def _serve_door(entry: LinkEntry, admission: Admission | None, clock: Clock) -> None:
    """The door for new sites, where there is one."""
    if entry.enrolment is None or admission is None:
        return
    _log.info("enrolment_door", url=entry.enrolment.url)
    tls = TlsFiles(ca=entry.ca, cert=entry.broker_cert, key=entry.broker_key)
    door = EnrolmentDoor(tls, admission.enrol, clock)
    await door.run(entry.enrolment.host, entry.enrolment.port)


def _presence(entry: LinkEntry, authority: Authority, port: int, clock: Clock) -> Presence:
    """What hears from the broker who is connected."""
    return Presence(
        servers=[f"tls://127.0.0.1:{port}"],
        login=authority.watcher_login(TlsFiles(ca=entry.ca, cert=entry.cert, key=entry.key), clock),
        account=authority.account,
        signer=authority.site_signer,
        clock=clock,
    )


def _link(entry: LinkEntry, authority: Authority, port: int, clock: Clock) -> NatsSiteLink:
    """Our own connection to the broker."""
    tls = TlsFiles(ca=entry.ca, cert=entry.cert, key=entry.key)
    return NatsSiteLink(
        servers=[f"tls://127.0.0.1:{port}"],
        login=authority.gateway_login(tls, clock),
        clock=clock,
        answer_s=entry.answer_s,
    )


def _utilities(
    config: GatewaySettings, clock: Clock, core: _Core, memory: SqlUtilityMemory
) -> list[UtilityLink]:
    """One adapter per utility."""
    usage = UsageReports(core.portfolio, core.telemetry)
    reports = ResourceReports(core.portfolio, core.telemetry, core.ledger, core.live, clock)
    participation = Participants(core.portfolio, core.ledger, core.intake)
    openadr = (
        OpenAdrVen(
            settings,
            client_context(settings.ca, settings.cert, settings.key),
            core.intake,
            reports,
            memory,
            clock,
            participation=participation,
        )
        for settings in config.openadr
    )
    ports = Sep2Ports(
        envelopes=core.envelopes,
        events=core.intake,
        usage=usage,
        states=StateReports(core.live, core.ledger),
        readiness=core.ledger.readiness,
        memory=memory,
    )
    sep2 = (Sep2Aggregator(settings, ports, clock) for settings in config.sep2)
    return [*openadr, *sep2]


async def _keep_time(lifecycle: Lifecycle, stopping: asyncio.Event) -> None:
    """The leader's calendar: one job a second; the ledger fences whatever it brings about."""
    busy = asyncio.Lock()

    async def tick() -> None:
        async with busy:
            await lifecycle.tick()

    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_job(tick, "interval", seconds=_TICK_S, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        await stopping.wait()
    finally:
        scheduler.pause()
        async with busy:  # a tick that is cut off would be logged as an error
            scheduler.shutdown(wait=False)


async def _serve_web(
    config: GatewaySettings,
    clock: Clock,
    stopping: asyncio.Event,
    core: _Core,
    utilities: list[UtilityLink],
    memory: SqlUtilityMemory,
    link_port: int,
    ready: Callable[[GatewayAddresses], None] | None,
) -> None:
    """Serve people until `stopping` is set."""
    sources = [one for one in utilities if isinstance(one, Sep2Aggregator)]
    state = WebState(
        clock=clock,
        portfolio=core.portfolio,
        ledger=core.ledger,
        telemetry=core.telemetry,
        delivery=core.delivery,
        live=core.live,
        actions=core.intake,
        desk=core.intake,
        controls=Controls(core.portfolio, core.ledger, sources, clock),
        stopping=stopping,
        prices=core.prices.desk,
        utilities=lambda: [utility.health for utility in utilities],
        records=memory.load,
        counters=lambda: core.inbox.counters,
        checks=lambda: {"site_link": core.link.listening.is_set()},
        allowed_hosts=LOOPBACK | frozenset(config.web.allowed_hosts),
    )

    def listening(port: int) -> None:
        addresses = GatewayAddresses(
            web_url=f"http://{config.web.host}:{port}", link_port=link_port
        )
        _log.info("gateway_ready", web=addresses.web_url, link_port=link_port)
        if ready is not None:
            ready(addresses)

    await serve(
        create_app(state),
        host=config.web.host,
        port=config.web.port,
        stopping=stopping,
        ready=listening,
    )
