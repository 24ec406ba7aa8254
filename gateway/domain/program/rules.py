"""Every rule of a program, by kind; a kind that is empty asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum

from contracts.days import MonthDay
from gateway.domain.program.joining import EnrolmentRule, Exclusivity
from gateway.domain.program.measuring import BaselineRule, MeterPoint
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
from gateway.domain.program.season import DayClass, Season
from gateway.domain.program.source import Source
from gateway.domain.program.wall import checked_month_day
from gateway.domain.program.window import CallWindow


class Outside(StrEnum):
    """What an event outside the windows is."""

    VOLUNTARY = "voluntary"
    BREACH = "breach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of one version of a program."""

    seasons: tuple[Season, ...] = ()
    days: DayClass = field(default_factory=DayClass)
    windows: tuple[CallWindow, ...] = ()
    outside: Outside = Outside.BREACH
    """Outside season, days and windows."""
    notices: tuple[Notice, ...] = ()
    durations: tuple[Duration, ...] = ()
    quotas: tuple[Quota, ...] = ()
    in_row: tuple[MaxInRow, ...] = ()
    back_to_back: BackToBack = field(default_factory=BackToBack)
    counting: Counting = field(default_factory=Counting)
    year_starts: MonthDay = (1, 1)
    """Where the program's year begins, for quotas."""
    terms: tuple[MonthDay, ...] = ()
    """Where its contract terms begin, for quotas."""
    opt_outs: tuple[OptOutRule, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    storms: StormBlackout | None = None
    tests: ProgramTests | None = None
    enrolment: tuple[EnrolmentRule, ...] = ()
    nominations: tuple[NominationRule, ...] = ()
    commitment: tuple[Commitment, ...] = ()
    baselines: tuple[BaselineRule, ...] = ()
    meter: tuple[MeterPoint, ...] = ()
    performance: tuple[Performance, ...] = ()
    tiers: tuple[TierTable, ...] = ()
    capacity_pay: tuple[CapacityPay, ...] = ()
    energy_pay: tuple[EnergyPay, ...] = ()
    average_pay: tuple[AveragePay, ...] = ()
    peak_charge: tuple[PeakCharge, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    exclusivity: tuple[Exclusivity, ...] = ()
    telemetry: tuple[TelemetryRule, ...] = ()
    signal: SignalRule = field(default_factory=SignalRule)
    triggers: tuple[Trigger, ...] = ()

    def __post_init__(self) -> None:
        checked_month_day(self.year_starts, "year_starts")
        for term in self.terms:
            checked_month_day(term, "terms")
        if any(quota.per.value == "term" for quota in self.quotas) and not self.terms:
            raise ValueError("quotas: one counts per term, so say when the terms begin")

    def told(self) -> Iterator[tuple[str, str, Source | None]]:
        """`(kind, words, source)` of every rule, in order."""
        defaults = Rules()
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or value == () or one.name in ("outside", "year_starts", "terms"):
                continue
            if one.name in ("back_to_back", "counting") and value == getattr(defaults, one.name):
                continue
            for rule in value if isinstance(value, tuple) else (value,):
                yield one.name, rule.words, rule.source
