"""Settings of the gateway: sites, programs, enrolments, utilities, link and web."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from math import inf
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from contracts.config import Settings
from contracts.errors import ConfigError
from gateway.domain.delivery.correction import CorrectionRules
from gateway.domain.delivery.course import DeliveryRules
from gateway.domain.delivery.restoration import RestorationRules
from gateway.domain.dispatch.limits import Block
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.splitting import NetworkGroup, SplitOptions
from gateway.flows.events.lifecycle import LifecycleOptions
from gateway.flows.keeping.retention import RetentionRules
from gateway.flows.nominating.options import NominatingOptions
from gateway.prices.account_settings import AccountSettings
from gateway.prices.settings import PriceSettings
from gateway.programs.entry import ProgramEntry
from gateway.programs.meter_entry import MeterEntry
from gateway.programs.metering import check_meters
from gateway.programs.values import Share, SiteId, Span, Watts
from gateway.programs.versions import check_price_source, enrolled_once, in_force_last
from gateway.reports.locales import style_named
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.sep2.settings import Sep2Settings


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError) as error:
        raise ValueError(f"unknown time zone {value!r}: use an IANA name") from error


def _locale(tag: str) -> str:
    if not tag:
        return ""
    try:
        return style_named(tag).name
    except ConfigError as error:
        raise ValueError(str(error)) from error


Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Locale = Annotated[str, Field(max_length=20), AfterValidator(_locale)]


class SiteEntry(Settings):
    """One depot of the portfolio."""

    site_id: SiteId
    name: Annotated[str, Field(min_length=1, max_length=80)]
    time_zone: Zone
    import_limit_w: Watts
    simulated: bool = False
    groups: frozenset[str] = frozenset()
    """Names under which a utility may address it together with others."""
    locale: Locale = ""
    """How its owner's reports write numbers and dates, such as `de-CH`."""
    meters: tuple[MeterEntry, ...] = Field((), max_length=20)
    """Its revenue meters; together they count what its connection imports, less its exports."""

    @model_validator(mode="after")
    def _meters_once(self) -> Self:
        _unique("meters: name", (one.name for one in self.meters))
        return self

    def site(self) -> Site:
        """In the domain's words."""
        return Site(
            site_id=self.site_id,
            name=self.name,
            time_zone=self.time_zone,
            import_limit_w=self.import_limit_w,
            simulated=self.simulated,
            groups=self.groups,
            locale=self.locale,
            meters=tuple(one.meter(self.import_limit_w) for one in self.meters),
        )


class DoorEntry(Settings):
    """Where a new site shows its one-time token and gets its credentials (HTTPS)."""

    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.:\[\]-]{1,250}$")]
    """Under which sites reach it, such as `https://gateway.example:8446`; it stands in every token,
    and `link.broker_cert` must be good for its host."""
    host: str = "127.0.0.1"
    port: Port = 8446
    """0 takes any free one."""
    ca_key: Path
    """Private key of `link.ca`, with which sites' certificates are signed."""
    life: Annotated[timedelta, Field(ge=timedelta(hours=1), le=timedelta(days=398))] = timedelta(
        days=30
    )
    """How long certificate and user JWT last; a site renews them at two thirds of that."""


class LinkEntry(Settings):
    """The embedded broker that sites connect to, and how we prove who we are."""

    host: str = "127.0.0.1"
    port: Port = 4222
    """0 takes any free port."""
    ca: Path
    """Root of the site side's certificates."""
    broker_cert: Path
    broker_key: Path
    cert: Path
    """The gateway's own client certificate."""
    key: Path
    nats: Path
    """Folder of the NATS operator, account and signing keys (made when missing)."""
    answer_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    enrolment: DoorEntry | None = None
    """None: this gateway issues no credentials."""


class WebEntry(Settings):
    """Where people and programs find us. There is no sign-in yet: keep it on loopback."""

    host: str = "127.0.0.1"
    port: Port = 8080
    allowed_hosts: tuple[str, ...] = ()
    """Names, besides loopback, under which browsers may reach us (behind a proxy)."""


class CorrectionEntry(Settings):
    """How the request to the sites follows what they deliver, once a minute."""

    gain: Annotated[float, Field(gt=0, le=0.5)] = 0.15
    """Part of what is missing that is asked beyond the target a minute later."""
    lowest: Annotated[float, Field(ge=-0.5, le=0)] = -0.20
    """The most by which less is asked than the target, as a part of it."""
    highest: Annotated[float, Field(ge=0, le=1)] = 0.30
    """The most that is asked beyond the target, as a part of it."""
    settle: Span = timedelta(minutes=5)
    """Nothing is corrected so long after a change of the target: sites need time to follow."""
    least_coverage: Share = 0.7
    """With less than this part of the request measured nothing is corrected."""

    def rules(self) -> DeliveryRules:
        """In the domain's words."""
        return DeliveryRules(correction=CorrectionRules(**self.model_dump()))


class RestorationEntry(Settings):
    """How fast the load comes back after an event, so that no new peak arises."""

    cap_share: Annotated[float, Field(gt=0, le=1)] = 0.03
    """Most the load rises a minute, as a part of the baseline of the sites that return."""
    cap_w: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """The same in W a minute, instead."""
    group_caps_w: dict[str, Annotated[float, Field(gt=0, le=1e9)]] = Field(default_factory=dict)
    """W a minute for sites that share a group (a feeder, a transformer)."""
    longest: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(hours=4))] = (
        timedelta(minutes=15)
    )
    """Every site is free so long after the end, even if the caps have to be raised for that."""

    def rules(self) -> RestorationRules:
        """In the domain's words."""
        return RestorationRules(**self.model_dump())


class NetworkGroupEntry(Settings):
    """A feeder or transformer with a limit of its own, for the sites that name it as a group."""

    group: Annotated[str, Field(min_length=1, max_length=80)]
    reduction_w: Watts | None = None
    """Most its sites are asked to give together."""
    export_limit_w: Watts | None = None
    """What is asked leaves its sites together, by their baselines, exporting no more than this."""

    def group_limit(self) -> NetworkGroup:
        """In the flow's words."""
        return NetworkGroup(
            name=self.group, reduction_w=self.reduction_w, export_limit_w=self.export_limit_w
        )


class LeastRequestEntry(Settings):
    """A site that gives at least so much or nothing."""

    site_id: SiteId
    least_w: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """null: all of its offer or nothing."""
    least_run: Span = timedelta(0)
    """How long it is asked at least, once it is."""

    def block(self) -> Block:
        """In the domain's words."""
        return Block(
            least_w=inf if self.least_w is None else self.least_w, least_run=self.least_run
        )


class DispatchEntry(Settings):
    """How closely a running event is followed, and what binds requests besides offers."""

    review: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=10)
    """Plans are looked at again this often."""
    deadband: Share = 0.02
    """A site gets a new instruction only when its limit would move by more than this part of its
    connection."""
    network: tuple[NetworkGroupEntry, ...] = ()
    least_requests: tuple[LeastRequestEntry, ...] = ()
    correction: CorrectionEntry | None = CorrectionEntry()
    """null: delivery is not watched, and nobody is left out for it."""
    restoration: RestorationEntry | None = RestorationEntry()
    """null: all sites are free at once."""

    def check(self, sites: Collection[str], groups: Collection[str]) -> None:
        """Whether every site and group named here is there.

        Raises:
            ValueError: one is not, or is named twice.
        """
        _unique("dispatch.network: group", (entry.group for entry in self.network))
        _unique("dispatch.least_requests: site_id", (e.site_id for e in self.least_requests))
        strange = {entry.group for entry in self.network} - set(groups)
        if strange:
            raise ValueError(f"dispatch.network: no site is in group {sorted(strange)}")
        unknown = {entry.site_id for entry in self.least_requests} - set(sites)
        if unknown:
            raise ValueError(f"dispatch.least_requests: unknown sites: {sorted(unknown)}")

    def splitting(self) -> SplitOptions:
        """In the flow's words."""
        return SplitOptions(
            network=tuple(entry.group_limit() for entry in self.network),
            blocks={entry.site_id: entry.block() for entry in self.least_requests},
        )

    def options(self) -> DispatchOptions:
        """In the flow's words."""
        return DispatchOptions(
            check_every=self.review,
            deadband_share=self.deadband,
            delivery=None if self.correction is None else self.correction.rules(),
            restoration=None if self.restoration is None else self.restoration.rules(),
        )


class RetentionEntry(Settings):
    """How long telemetry is kept as it came. Revenue meters' intervals are kept for ever."""

    readings_days: Annotated[int, Field(ge=7, le=36_500)] | None = 100
    """Then 5-minute means with their coverage are left; null: readings are kept for ever."""
    five_minutes_days: Annotated[int, Field(ge=7, le=36_500)] | None = 1100
    """Then 15-minute means are left, and those stay; null: 5-minute means are kept for ever."""

    def rules(self) -> RetentionRules:
        """In the flow's words."""
        days = (self.readings_days, self.five_minutes_days)
        readings, means = (None if one is None else timedelta(days=one) for one in days)
        return RetentionRules(readings=readings, five_minutes=means)


class ReportEntry(Settings):
    """When participation reports are made, beyond what the program says."""

    late_data: Span = timedelta(seconds=10)
    """How long the last measurements may take to arrive."""
    final_after: Span = timedelta(days=1)
    """When the preliminary report is made again as the final one, after the event's end."""
    locale: Locale = ""
    """How reports write numbers and dates, such as `de-CH`, where a site has no `locale` of its
    own. Empty: as each reader's browser asks."""

    def options(self) -> LifecycleOptions:
        """In the flow's words."""
        return LifecycleOptions(late_data=self.late_data, final_after=self.final_after)


class GatewaySettings(Settings):
    """Everything `gridyard gateway` needs."""

    data: Path
    """Folder of the database; one running gateway per folder."""
    database_url: Annotated[str, Field(pattern=r"^postgresql://", max_length=2000)] | None = None
    """`postgresql://USER@HOST/NAME` of a database that is there, instead of a file in `data`; a
    password better stands in `PGPASSWORD` or `~/.pgpass`. One running gateway per database."""
    sites: Annotated[tuple[SiteEntry, ...], Field(min_length=1)]
    programs: tuple[ProgramEntry, ...] = ()
    openadr: tuple[OpenAdrSettings, ...] = ()
    sep2: tuple[Sep2Settings, ...] = ()
    """Utilities that speak IEEE 2030.5; we are their CSIP aggregator."""
    link: LinkEntry
    web: WebEntry = WebEntry()
    prices: PriceSettings = PriceSettings()
    accounts: AccountSettings = AccountSettings()
    dispatch: DispatchEntry = DispatchEntry()
    reports: ReportEntry = ReportEntry()
    retention: RetentionEntry = RetentionEntry()
    holidays: tuple[date, ...] = ()
    """Local dates that count as days off in baselines."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("sites: site_id", (site.site_id for site in self.sites))
        _unique(
            "programs: program_id and valid_from",
            (f"{one.program_id} {one.valid_from or ''}".strip() for one in self.programs),
        )
        enrolled_once(self.programs)
        _unique(
            "openadr, sep2: utility_id",
            [one.utility_id for one in self.openadr] + [one.utility_id for one in self.sep2],
        )
        known = {site.site_id for site in self.sites}
        self.dispatch.check(known, frozenset().union(*(site.groups for site in self.sites)))
        for program in self.programs:
            unknown = {e.site_id for e in program.enrolments} - known
            if unknown:
                raise ValueError(
                    f"program {program.program_id!r} enrols unknown sites: {sorted(unknown)}"
                )
            check_meters(program, {site.site_id: site.site() for site in self.sites})
            check_price_source(program, self.prices.names)
        unpriced = {site for one in self.prices.follow for site in one.sites} - known
        if unpriced:
            raise ValueError(f"prices: unknown sites follow: {sorted(unpriced)}")
        if unaccounted := self.accounts.sites - known:
            raise ValueError(f"accounts: unknown sites: {sorted(unaccounted)}")
        for utility in self.sep2:
            strange = {site for device in utility.devices for site in device.sites} - known
            if strange:
                raise ValueError(
                    f"sep2 {utility.utility_id!r}: devices of unknown sites: {sorted(strange)}"
                )
        return self

    @property
    def database(self) -> Path | str:
        """The database: the file of the embedded default, or the address that was set."""
        return self.database_url or self.data / "gateway.sqlite"

    def nominating(self) -> Mapping[str, NominatingOptions]:
        """By program, how proposals are made; the newest version's settings count."""
        return {
            one.program_id: one.nominate.options()
            for one in in_force_last(self.programs)
            if one.nominate is not None
        }

    def portfolio(self) -> Portfolio:
        """Sites, programs and enrolments in the domain's words."""
        return Portfolio(
            sites=tuple(entry.site() for entry in self.sites),
            programs=tuple(entry.program() for entry in self.programs),
            enrolments=tuple(
                entry.enrolment(program.program_id)
                for program in self.programs
                for entry in program.enrolments
            ),
            holidays=frozenset(self.holidays),
        )


def _unique(what: str, values: Iterable[str]) -> None:
    doubled = [value for value, count in Counter(values).items() if count > 1]
    if doubled:
        raise ValueError(f"{what} must be unique; doubled: {', '.join(doubled)}")
