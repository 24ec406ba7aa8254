"""What a program file may say. The rule kinds are the domain's own; here are their short forms."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from contracts.config import Settings
from gateway.domain.measure.presets import preset
from gateway.domain.program.joining import EnrolmentRule, Exclusivity
from gateway.domain.program.measuring import BaselineRule, MeterPoint
from gateway.domain.program.method import (
    Adjustment,
    Anchor,
    BaselineKind,
    BaselineMethod,
    DayType,
    Fallback,
    Rank,
)
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.notice import Duration, Notice
from gateway.domain.program.opting import Blackout, OptOutRule, ProgramTests, StormBlackout
from gateway.domain.program.paying import AveragePay, CapacityPay, EnergyPay, PeakCharge, Penalty
from gateway.domain.program.performing import Performance, TierTable
from gateway.domain.program.promise import (
    Commitment,
    SignalRule,
    TelemetryRule,
    Trigger,
)
from gateway.domain.program.quota import BackToBack, Counting, MaxInRow, Quota
from gateway.domain.program.rules import Outside, Rules
from gateway.domain.program.season import DayClass, Season
from gateway.domain.program.window import CallWindow
from gateway.programs.parsing import (
    holidays,
    inside,
    kinds,
    minute,
    month_day,
    rate,
    reads,
    several,
)
from gateway.programs.values import SiteId

MonthDayText = Annotated[tuple[int, int], BeforeValidator(month_day)]
Share = Annotated[float, Field(ge=0, le=1)]
Span = Annotated[timedelta, Field(ge=timedelta(0))]
MOST = 100
"""Rules of one kind; real programs have a dozen."""

_SEASON = {"first": month_day, "last": month_day}
_NOTICE = {"by": minute}
_PART = {"start": minute, "end": minute, "kinds": kinds}
_PAY = reads(rate=rate, stop_loss_rate=rate)


class RulesEntry(Settings):
    """Rules of a program, by kind; a kind that is left out asks for nothing.

    A time of day is `17:00`, a day of the year `05-01`, a duration seconds or `PT4H`, a source `T25
    text` (U the operator's own text, T a third party, M from memory; two digits of the year or ?).
    """

    seasons: tuple[Annotated[Season, reads(**_SEASON)], ...] = Field((), max_length=MOST)
    """Parts of the year in which it calls."""
    days: Annotated[DayClass, reads(kinds=kinds, holidays=holidays)] = DayClass()
    """Days on which it calls, with its own calendar of holidays."""
    windows: tuple[Annotated[CallWindow, reads(start=minute, end=minute, kinds=kinds)], ...] = (
        Field((), max_length=MOST)
    )
    """Hours in which it calls, on the wall of `time_zone`."""
    outside: Outside = Outside.BREACH
    """What an event outside of all that is."""
    notices: tuple[Annotated[Notice, reads(**_NOTICE)], ...] = Field((), max_length=MOST)
    """How long before it tells."""
    durations: tuple[Annotated[Duration, reads()], ...] = Field((), max_length=MOST)
    """How long an event lasts; several are alternatives."""
    quotas: tuple[Annotated[Quota, reads()], ...] = Field((), max_length=MOST)
    """How often and how long it calls over a period."""
    in_row: tuple[Annotated[MaxInRow, reads()], ...] = Field((), max_length=MOST)
    """Days in a row with events."""
    back_to_back: Annotated[BackToBack, reads()] = BackToBack()
    """What two events are of which one follows the other at once."""
    counting: Annotated[Counting, reads()] = Counting()
    """What counts of events that did not go as announced."""
    year_starts: MonthDayText = (1, 1)
    """Where the program's year begins."""
    terms: tuple[MonthDayText, ...] = Field((), max_length=MOST)
    """Where its terms begin."""
    opt_outs: tuple[Annotated[OptOutRule, reads()], ...] = Field((), max_length=MOST)
    """Opt-outs without harm."""
    blackouts: tuple[Annotated[Blackout, reads()], ...] = Field((), max_length=MOST)
    """Dates without events."""
    storms: Annotated[StormBlackout, reads()] | None = None
    """No events before a storm."""
    tests: (
        Annotated[ProgramTests, reads(windows=several(inside(**_SEASON)), notice=inside(**_NOTICE))]
        | None
    ) = None
    """Test events."""
    enrolment: tuple[
        Annotated[
            EnrolmentRule,
            reads(deadlines=several(inside(apply_by=month_day, starts=month_day))),
        ],
        ...,
    ] = Field((), max_length=MOST)
    """What a site must bring."""
    nominations: tuple[
        Annotated[
            NominationRule,
            reads(gate=inside(**_NOTICE), parts=several(inside(**_PART))),
        ],
        ...,
    ] = Field((), max_length=MOST)
    """How a quantity is promised or bid; `period` null is the dates of a contract."""
    commitment: tuple[Annotated[Commitment, reads()], ...] = Field((), max_length=MOST)
    """What is promised."""
    baselines: tuple[Annotated[BaselineRule, reads()], ...] = Field((), max_length=MOST)
    """Baselines that are prescribed."""
    meter: tuple[Annotated[MeterPoint, reads()], ...] = Field((), max_length=MOST)
    """Where delivery is measured."""
    performance: tuple[Annotated[Performance, reads()], ...] = Field((), max_length=MOST)
    """How delivery becomes a factor."""
    tiers: tuple[Annotated[TierTable, reads()], ...] = Field((), max_length=MOST)
    """Payment by bands of delivery."""
    capacity_pay: tuple[Annotated[CapacityPay, _PAY], ...] = Field((), max_length=MOST)
    """Money for kW; rates are empty or examples."""
    energy_pay: tuple[Annotated[EnergyPay, _PAY], ...] = Field((), max_length=MOST)
    """Money for kWh."""
    average_pay: tuple[Annotated[AveragePay, _PAY], ...] = Field((), max_length=MOST)
    """Money for the mean of a season."""
    peak_charge: tuple[Annotated[PeakCharge, _PAY], ...] = Field((), max_length=MOST)
    """A charge on load in the system's peaks."""
    penalties: tuple[Annotated[Penalty, _PAY], ...] = Field((), max_length=MOST)
    """What a broken promise costs."""
    exclusivity: tuple[Annotated[Exclusivity, reads()], ...] = Field((), max_length=MOST)
    """What it goes together with."""
    telemetry: tuple[Annotated[TelemetryRule, reads()], ...] = Field((), max_length=MOST)
    """What must be measured."""
    signal: Annotated[SignalRule, reads()] = SignalRule()
    """How events come."""
    triggers: tuple[Annotated[Trigger, reads()], ...] = Field((), max_length=MOST)
    """What makes the operator call; for people."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.over(Rules())
        return self

    @model_serializer(mode="wrap")
    def _given(self, whole: SerializerFunctionWrapHandler) -> dict[str, object]:
        """The kinds that are given: one that is written out replaces the template's."""
        return {kind: value for kind, value in whole(self).items() if kind in self.model_fields_set}

    def over(self, rules: Rules) -> Rules:
        """These rules, where a kind is given; else those of a template."""
        given = {
            one.name: getattr(self, one.name)
            for one in fields(Rules)
            if one.name in self.model_fields_set
        }
        kept = {one.name: getattr(rules, one.name) for one in fields(Rules)}
        return Rules(**{**kept, **given})


class BaselineEntry(Settings):
    """Parameters of a baseline; what is left out is the preset's, or else of 10-of-10 type."""

    preset: Annotated[str, Field(max_length=80)] | None = None
    """A method by name, see `gridyard baseline methods`; the other parameters lie over it."""
    name: Annotated[str, Field(max_length=80)] = "10-of-10 type"
    kind: BaselineKind = BaselineKind.X_OF_Y
    y_days: Annotated[int, Field(ge=1, le=90)] = 10
    x_days: Annotated[int, Field(ge=1, le=90)] = 10
    rank: Rank = Rank.HIGHEST
    weights: tuple[Annotated[float, Field(gt=0, le=1e6)], ...] = Field((), max_length=90)
    """Of the days used, newest first; empty: all alike."""
    min_days: Annotated[int, Field(ge=1, le=90)] = 3
    """Least number of days; for `control_group` of sites."""
    look_back: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=400))] = timedelta(
        days=45
    )
    day_type: DayType = DayType.SAME
    min_coverage: Share = 0.9
    adjustment: Adjustment = Adjustment.RATIO
    adjust_from: Span = timedelta(hours=4)
    """Hours before the event that are compared; for `same_day` and `before_event`: that count."""
    adjust_until: Span = timedelta(hours=1)
    after_from: Span = timedelta(0)
    """Hours after the event that are compared or count, too; without length there are none."""
    after_until: Span = timedelta(0)
    adjust_low: Annotated[float, Field(ge=0)] | None = 0.8
    adjust_high: Annotated[float, Field(ge=0)] | None = 1.2
    """`null`: not bounded on that side."""
    anchor: Anchor = Anchor.START
    excludes_holidays: bool = False
    excluded_programs: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        (), max_length=MOST
    )
    buffer: Span = timedelta(hours=1)
    """`match_day`: this long before and after the event no hour is compared."""
    level_w: Annotated[float, Field(ge=-1e9, le=1e9)] | None = None
    """`firm_level`, `flat`: the level."""
    control_sites: tuple[SiteId, ...] = Field((), max_length=1000)
    """`control_group`: sites that are compared with, as far as they took no part."""
    fallbacks: tuple[Fallback, ...] = (Fallback.FEWER_DAYS,)
    """What is done with fewer clean days than `y_days`, in this order; `[]`: no baseline then."""

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, given: object) -> object:
        if not isinstance(given, dict) or not isinstance(named := given.get("preset"), str):
            return given
        return {**asdict(preset(named).method), **given}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.x_days > self.y_days:
            raise ValueError("x_days must not exceed y_days")
        if self.weights and len(self.weights) != self.x_days:
            raise ValueError("weights: give one for each of the x_days")
        compares, after = self.adjustment is not Adjustment.NONE, self.after_until > self.after_from
        if compares and self.adjust_until >= self.adjust_from and not after:
            raise ValueError("adjust_from must lie before adjust_until (be the longer span)")
        low, high = self.adjust_low, self.adjust_high
        if low is not None and high is not None and low > high:
            raise ValueError("adjust_low must not exceed adjust_high")
        return self

    def method(self) -> BaselineMethod:
        """In the domain's words."""
        return BaselineMethod(**self.model_dump(exclude={"preset"}))


class ProgramFile(Settings):
    """A template, or a program of your own: everything but who is enrolled."""

    template: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
    """Its name; those that come with Gridyard end in `-type`."""
    title: Annotated[str, Field(min_length=1, max_length=80)]
    about: Annotated[str, Field(min_length=1, max_length=2000)]
    """What it is for, and what is not known of it."""
    time_zone: ZoneInfo
    """Of its wall clock."""
    measurement_interval: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=15)
    baseline: BaselineEntry = BaselineEntry()
    emergency: bool = False
    """It calls when the supply is at risk."""
    rules: RulesEntry = RulesEntry()
