"""Settings of the programs a gateway takes part in, and of who is enrolled in them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import inf
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from contracts.config import Settings
from contracts.days import EVERY_DAY
from contracts.device_class import DeviceClass
from contracts.errors import ConfigError
from gateway.domain.enrolment import Consent, Enrolment, OwnerLimits, QuietTime
from gateway.domain.nomination.grounds import Terms
from gateway.domain.nomination.sizing import PriceStep
from gateway.domain.program import Policy, Program, Rules
from gateway.domain.program.measuring import MeasuredBy
from gateway.domain.settle.sharing import Sharing
from gateway.flows.nominating.options import NominatingOptions
from gateway.programs import library
from gateway.programs.parsing import kinds, minute
from gateway.programs.schema import BaselineEntry, ProgramFile, RulesEntry
from gateway.programs.values import MeterName, Share, SiteId, Span, Watts

Minute = Annotated[int, BeforeValidator(minute), Field(ge=0, le=1440)]


class QuietEntry(Settings):
    """Hours in which the owner wants no event, on the wall of the site."""

    start: Minute
    """Such as `22:00`."""
    end: Minute
    """At or before `start`: on the next day."""
    days: Annotated[frozenset[int], BeforeValidator(kinds)] = EVERY_DAY
    """`any`, `weekdays`, `weekends`, or a list such as `[saturday]`."""

    def quiet(self) -> QuietTime:
        """In the domain's words."""
        return QuietTime(start=self.start, end=self.end, kinds=self.days)


class OwnerEntry(Settings):
    """What the owner of a site allows. Events beyond it go on without the site, with the reason."""

    max_events_per_month: Annotated[int, Field(ge=0)] | None = None
    max_events_per_season: Annotated[int, Field(ge=0)] | None = None
    max_duration: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    quiet: tuple[QuietEntry, ...] = Field((), max_length=50)
    """Blackout times."""
    min_ready_share: Share | None = None

    def limits(self) -> OwnerLimits:
        """In the domain's words."""
        return OwnerLimits(
            max_events_per_month=self.max_events_per_month,
            max_events_per_season=self.max_events_per_season,
            max_duration=self.max_duration,
            quiet=tuple(entry.quiet() for entry in self.quiet),
            min_ready_share=self.min_ready_share,
        )


class ConsentEntry(Settings):
    """Who agreed that the site takes part, and when."""

    by: Annotated[str, Field(min_length=1, max_length=120)]
    given: date
    text: Annotated[str, Field(max_length=500)] = ""


class SharingEntry(Settings):
    """What of the program's money is the site's; the rest is the aggregator's."""

    site_share: Annotated[Decimal, Field(ge=0, le=1)]
    """Of what is earned, 0-1: 0.8 for 80 %."""
    site_share_of_charges: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    """Of penalties and other charges, 0-1."""

    def sharing(self) -> Sharing:
        """In the domain's words."""
        return Sharing(**self.model_dump())


class EnrolmentEntry(Settings):
    """A site's part in a program."""

    site_id: SiteId
    nominated_w: Watts
    since: date | None = None
    until: date | None = None
    firm_level_w: Watts | None = None
    """Firm service level, for programs in which a site drops to one: its load is to stay at or
    below it during an event."""
    network: Annotated[str, Field(max_length=80)] = ""
    owner: OwnerEntry = OwnerEntry()
    """What the site's owner allows."""
    consent: ConsentEntry | None = None
    meters: tuple[MeterName, ...] = Field((), max_length=20)
    """Names of the site's revenue meters it is settled on; left out: all of them."""
    sharing: SharingEntry | None = None
    """Left out: nothing is agreed, and statements say so instead of an amount."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError("until lies before since")
        return self

    def enrolment(self, program_id: str) -> Enrolment:
        """In the domain's words."""
        consent = None if self.consent is None else Consent(**self.consent.model_dump())
        return Enrolment(
            site_id=self.site_id,
            program_id=program_id,
            nominated_w=self.nominated_w,
            since=self.since,
            until=self.until,
            firm_level_w=self.firm_level_w,
            network=self.network,
            owner=self.owner.limits(),
            consent=consent,
            meters=self.meters,
            sharing=None if self.sharing is None else self.sharing.sharing(),
        )

    def overlaps(self, other: EnrolmentEntry) -> bool:
        """Whether the site would be enrolled twice on some day."""
        begins = max(self.since or date.min, other.since or date.min)
        ends = min(self.until or date.max, other.until or date.max)
        return self.site_id == other.site_id and begins <= ends


class PriceStepEntry(Settings):
    """One step of a price curve."""

    up_to_w: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Bids of up to so much carry the price; null: whatever is bid."""
    per_kwh: Annotated[float, Field(ge=0, le=1000)]


class NominateEntry(Settings):
    """How what is promised to a program is proposed from what sites offer, before each gate."""

    confidence: Annotated[float, Field(ge=0.5, le=0.99)] = 0.9
    """Share of cases in which the quantity should be there."""
    ahead: Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=60))] = timedelta(
        days=1
    )
    """So long before each gate a proposal is made."""
    accept: Literal["person", "auto"] = "person"
    """`auto`: what is proposed then is accepted at once."""
    look_back: Annotated[timedelta, Field(ge=timedelta(days=7), le=timedelta(days=400))] = (
        timedelta(days=45)
    )
    """How far back comparable days are looked for."""
    least_days: Annotated[int, Field(ge=1, le=90)] = 5
    """With fewer comparable days nothing is proposed."""
    prices: tuple[PriceStepEntry, ...] = Field((), max_length=50)
    """Of bids, per kWh: one price, or a curve with the smallest bids first."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        steps = [inf if one.up_to_w is None else one.up_to_w for one in self.prices]
        if any(one >= other for one, other in pairwise(steps)):
            raise ValueError("prices: up_to_w must rise from step to step, null last")
        return self

    def options(self) -> NominatingOptions:
        """In the flow's words."""
        prices = tuple(PriceStep(**one.model_dump()) for one in self.prices)
        terms = Terms(
            confidence=self.confidence,
            look_back=self.look_back,
            least_days=self.least_days,
            prices=prices,
        )
        return NominatingOptions(terms=terms, ahead=self.ahead, auto=self.accept == "auto")


class ProgramEntry(Settings):
    """One version of one program, with the sites enrolled in it.

    A tariff that changes becomes a further entry with the same `program_id` and a `valid_from`.
    """

    program_id: Annotated[str, Field(min_length=1, max_length=200)]
    """The market context by which the utility names it."""
    name: Annotated[str, Field(max_length=80)] = ""
    """Empty: the title of the template."""
    utility_id: str
    template: str = ""
    """A template that comes with Gridyard (`gridyard program list`) or a program file; what is
    given here replaces what it says."""
    product: Annotated[str, Field(max_length=80)] = ""
    version: Annotated[str, Field(max_length=40)] = "1"
    valid_from: date | None = None
    time_zone: ZoneInfo | None = None
    """Of the program's wall clock; left out: the template's, or UTC."""
    rules: RulesEntry = RulesEntry()
    """A kind that is given replaces that kind of the template."""
    on_breach: Policy = Policy.ACCEPT
    on_voluntary: Policy = Policy.ACCEPT
    baseline: BaselineEntry | None = None
    """Left out: the template's."""
    measurement_interval: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    """Left out: the template's, or 15 minutes."""
    measured_by: MeasuredBy = MeasuredBy.SITE_AGENT
    """What loads are settled on: `site_agent`, or `revenue_meter` for the intervals of the sites'
    `meters`. Planning and correction always follow the agents."""
    meter_wait: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=400))] = timedelta(
        days=14
    )
    """So long after its end an event's report waits for meter data that are missing. Then it is
    final, and its performance rule's `missing` says what becomes of the rest."""
    observe_after: Span = timedelta(hours=1)
    level_shares: tuple[Share, Share, Share, Share] = (0.0, 0.33, 0.66, 1.0)
    emergency: bool | None = None
    """Its events go before those of other programs; left out: the template's, or false."""
    precedence: Annotated[int, Field(ge=1, le=1000)] = 100
    """Of two programs alike, the lower number is served first where both call a site at once."""
    device_classes: tuple[DeviceClass, ...] = Field((), max_length=3)
    """Whose load it is about: `evse`, `storage`; baseline, request and delivery are then those of
    these devices alone, and only what they offer counts. Empty: whatever a site has."""
    price_source: Annotated[str, Field(max_length=40)] = ""
    """Of `prices.sources`, whose prices over an event are kept and pay for energy at the market's
    price; empty: they are told (`gridyard determinant`)."""
    accept_events: bool = True
    nominate: NominateEntry | None = None
    """Proposals before each gate; left out: only when a person asks for one."""
    enrolments: tuple[EnrolmentEntry, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.name and not self.template:
            raise ValueError("name: a program without a template needs one")
        try:
            made = self.program()
        except ConfigError as error:
            raise ValueError(f"template: {error}") from error
        named = {one.product for one in made.rules.notices} | {
            one.product for one in made.rules.durations
        }
        named = (named | {one.product for one in made.rules.quotas}) - {""}
        if self.product and self.product not in named:
            raise ValueError(
                f"product: {self.product!r} is none of: {', '.join(sorted(named)) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _nominated_by_rule(self) -> Self:
        if self.nominate is not None and not self.program().rules.nominations:
            raise ValueError("nominate: the program has no rule for nominations")
        return self

    def program(self) -> Program:
        """In the domain's words.

        Raises:
            ConfigError: the template cannot be read.
        """
        base = self._base()
        interval = base.measurement_interval if base else timedelta(minutes=15)
        baseline = self.baseline or (base.baseline if base else BaselineEntry())
        return Program(
            program_id=self.program_id,
            name=self.name or (base.title if base else ""),
            utility_id=self.utility_id,
            version=self.version,
            valid_from=self.valid_from,
            template=base.template if base else "",
            product=self.product,
            zone=self.time_zone or (base.time_zone if base else ZoneInfo("UTC")),
            rules=self.rules.over(base.rules.over(Rules()) if base else Rules()),
            on_breach=self.on_breach,
            on_voluntary=self.on_voluntary,
            baseline=baseline.method(),
            measurement_interval=self.measurement_interval or interval,
            measured_by=self.measured_by,
            meter_wait=self.meter_wait,
            level_shares=self.level_shares,
            observe_after=self.observe_after,
            emergency=bool(base and base.emergency) if self.emergency is None else self.emergency,
            precedence=self.precedence,
            device_classes=self.device_classes,
            accept_events=self.accept_events,
        )

    def _base(self) -> ProgramFile | None:
        return library.found(self.template) if self.template else None
