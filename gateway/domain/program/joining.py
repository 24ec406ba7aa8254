"""Who may join a program, when, and beside which others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.days import MonthDay
from gateway.domain.program.source import Source
from gateway.domain.program.wall import checked_month_day, month_day
from gateway.domain.words import kw, pct


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Who applies by one day takes part from another, the next time it comes."""

    apply_by: MonthDay
    starts: MonthDay

    def __post_init__(self) -> None:
        checked_month_day(self.apply_by, "apply_by")
        checked_month_day(self.starts, "starts")

    @property
    def words(self) -> str:
        """`apply by 1 Apr for 1 May`."""
        return f"apply by {month_day(self.apply_by)} for {month_day(self.starts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRule:
    """What a site, and all sites of a program together, must bring. None: nothing is asked."""

    site_min_w: float | None = None
    """Least reduction of a site."""
    aggregate_min_w: float | None = None
    """Least reduction of all sites together (in a network group, if it has one)."""
    aggregate_max_w: float | None = None
    step_w: float | None = None
    """Reductions are whole multiples of it."""
    demand_min_w: float | None = None
    """Least highest demand of a site."""
    drop_min_share: float | None = None
    """Least reduction as a share of the highest demand, 0-1."""
    deadlines: tuple[Deadline, ...] = ()
    change_business_days: int | None = None
    """Changes so many business days before a season at the latest."""
    change_months: frozenset[int] = frozenset()
    """Months in which one may change or leave; empty: any."""
    history_days: int | None = None
    """Days of meter data there must be."""
    accuracy_max: float | None = None
    """Largest relative error of the baseline on days without event (predictability), 0-1."""
    bias_max: float | None = None
    lock_in_months: int | None = None
    source: Source | None = None

    @property
    def words(self) -> str:
        """What it asks, one thing after another."""
        powers = (
            ("at least {} a site", self.site_min_w),
            ("at least {} together", self.aggregate_min_w),
            ("at most {} together", self.aggregate_max_w),
            ("in steps of {}", self.step_w),
            ("a highest demand of at least {}", self.demand_min_w),
        )
        shares = (
            ("a drop of at least {} of the highest demand", self.drop_min_share),
            ("a baseline error of at most {}", self.accuracy_max),
            ("a baseline bias of at most {}", self.bias_max),
        )
        counts = (
            ("changes at the latest {} business days before a season", self.change_business_days),
            ("{} days of meter data", self.history_days),
            ("bound for {} months", self.lock_in_months),
        )
        parts = [text.format(kw(value)) for text, value in powers if value is not None]
        parts += [text.format(pct(value)) for text, value in shares if value is not None]
        parts += [deadline.words for deadline in self.deadlines]
        parts += [text.format(value) for text, value in counts if value is not None]
        if self.change_months:
            parts.append("changes only in month " + ", ".join(map(str, sorted(self.change_months))))
        return ", ".join(parts) or "nothing is asked"


class Beside(StrEnum):
    """How far a program goes together with others."""

    NOT = "not_with"
    SAME_AGGREGATOR = "same_aggregator"
    """Only through the same aggregator."""
    EXPORT_ONLY = "export_only"
    """Only for what is exported."""
    ALLOWED = "with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusivity:
    """What a site may take part in besides."""

    beside: Beside
    others: tuple[str, ...]
    """Templates, program ids or, for people, kinds of program."""
    first_refusal: bool = False
    """The others' aggregator is asked first."""
    paid_first: tuple[str, ...] = ()
    """Order in which a kWh that several programs claim is credited; empty: not said."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`not with bip-type`."""
        names = ", ".join(self.others)
        order = f"; credited in the order {', '.join(self.paid_first)}" if self.paid_first else ""
        refusal = "; the other's aggregator has first refusal" if self.first_refusal else ""
        return _BESIDE[self.beside].format(names) + refusal + order


_BESIDE = {
    Beside.NOT: "not with {}",
    Beside.SAME_AGGREGATOR: "with {} only through the same aggregator",
    Beside.EXPORT_ONLY: "with {} only for exports",
    Beside.ALLOWED: "may be combined with {}",
}
