"""Rates and penalties as data: the arithmetic is the settlement's, and money is rounded there.

No tariff in force was read: a rate is empty (None) or marked as an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from gateway.domain.program.performing import Absent, Mean
from gateway.domain.program.source import Source
from gateway.domain.words import span


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """An amount of money a unit."""

    amount: Decimal
    unit: str
    """`kW-month`, `kWh`, `MWh` ..."""
    currency: str = "USD"
    example: bool = True
    """False only for a figure taken from the tariff in force."""

    @property
    def words(self) -> str:
        """`18 USD a kW-month (example)`."""
        return f"{self.amount} {self.currency} a {self.unit}" + " (example)" * self.example


class Basis(StrEnum):
    """Which participation or event a payment is for."""

    RESERVATION = "reservation"
    VOLUNTARY = "voluntary"
    UNPLANNED = "unplanned"
    UNPLANNED_VOLUNTARY = "unplanned_voluntary"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPay:
    """Money for kW that are held ready."""

    rate: Rate | None = None
    tier: str = ""
    """For whom: a tier, zone, product."""
    months: frozenset[int] = frozenset()
    notice: timedelta | None = None
    """For the product of this notice."""
    uplift: Decimal | None = None
    """Added to the rate ..."""
    uplift_from_event: int | None = None
    """... from the month of a network's nth event of the season on."""
    by_tier_table: bool = False
    without_event_in_full: bool = False
    """Without an event the nomination is paid."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`capacity, tier 2: 25 USD a kW-month (example)`."""
        about = [self.tier] if self.tier else []
        about += [f"at {span(self.notice)} notice"] if self.notice is not None else []
        about += [f"months {', '.join(map(str, sorted(self.months)))}"] if self.months else []
        uplift = ""
        if self.uplift is not None:
            uplift = f", plus {self.uplift} from the month of event {self.uplift_from_event}"
        tiers = ", by the tier table" if self.by_tier_table else ""
        full = ", in full without an event" if self.without_event_in_full else ""
        where = f" ({', '.join(about)})" if about else ""
        return f"capacity{where}: {_rate(self.rate)}{uplift}{tiers}{full}"


class EnergyPrice(StrEnum):
    """Where the price of energy comes from."""

    FIXED = "fixed"
    MARKET = "market"
    """Real-time or locational price."""
    INDEX_HEAT_RATE = "index_x_heat_rate"
    BID = "bid"
    MAX_OF_MARKET_AND_STRIKE = "max_of_market_and_strike"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPay:
    """Money for kWh that were delivered."""

    price: EnergyPrice = EnergyPrice.FIXED
    basis: Basis = Basis.RESERVATION
    rate: Rate | None = None
    heat_rate_btu_per_kwh: Decimal | None = None
    strike_max: Decimal | None = None
    """Highest strike price of our own, currency per kWh."""
    cap_ratio: Decimal | None = None
    """Energy is paid up to this multiple of the commitment."""
    by_tier_table: bool = False
    """The tier table says how much of the commitment is paid."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`energy (voluntary): 3 USD a kWh (example)`."""
        how = {
            EnergyPrice.FIXED: _rate(self.rate),
            EnergyPrice.MARKET: "the market's price",
            EnergyPrice.INDEX_HEAT_RATE: f"gas price x {self.heat_rate_btu_per_kwh} Btu a kWh",
            EnergyPrice.BID: "the price that was bid",
            EnergyPrice.MAX_OF_MARKET_AND_STRIKE: "the market's price, at least our own strike"
            + ("" if self.strike_max is None else f" of at most {self.strike_max}"),
        }
        cap = "" if self.cap_ratio is None else f", up to {self.cap_ratio:.0%} of the commitment"
        tiers = ", by the tier table" if self.by_tier_table else ""
        return f"energy ({self.basis.value}): {how[self.price]}{cap}{tiers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePay:
    """Money for the mean kW of a season."""

    rate: Rate | None = None
    weighting: Mean = Mean.ALL_HOURS
    missed: Absent = Absent.ZERO
    """What an event without delivery is in the mean."""
    locked_years: int | None = None
    source: Source | None = None

    @property
    def words(self) -> str:
        """`season average over all_hours: ...; missed events: zero`."""
        weighting = self.weighting.value.replace("_", " ")
        return f"season average by {weighting}: {_rate(self.rate)}; missed events: {self.missed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakCharge:
    """A charge on the load in the system's peaks of some months, all the next year."""

    rate: Rate | None = None
    months: frozenset[int] = frozenset()
    interval: timedelta = timedelta(minutes=15)
    source: Source | None = None

    @property
    def words(self) -> str:
        """`charge on the mean load in the top interval of months 6, 7, 8, 9`."""
        months = ", ".join(map(str, sorted(self.months))) or "1 to 12"
        top = f"the system's top {span(self.interval)} of months {months}"
        return f"charge on the mean load in {top}: {_rate(self.rate)}"


class Excess(StrEnum):
    """What is penalised."""

    OVER_LEVEL = "over_level"
    """Energy above the firm service level."""
    SHORTFALL = "shortfall"
    """Energy or capacity that was promised and not delivered."""
    SCORE = "score"
    """(actual - ratio x obligation): it may also be a credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What a broken promise costs."""

    excess: Excess = Excess.SHORTFALL
    rate: Rate | None = None
    factor: Decimal | None = None
    """Multiple of the price of what was not delivered."""
    netting: timedelta | None = None
    """Intervals within this span are netted first; None: not netted."""
    ratio_cap: Decimal | None = None
    """Cap of the system's ratio in a score."""
    stop_loss: str = ""
    """Whether and over which time losses end somewhere, in words."""
    stop_loss_rate: Rate | None = None
    """Most that is lost by this rule in a month: a `kW-month` of what is owed, or a `month`."""
    claw_back: bool = False
    """A month in which an event failed earns nothing: what it was paid is claimed back."""
    suspension: str = ""
    """What repeated failure leads to."""
    source: Source | None = None

    def __post_init__(self) -> None:
        most = self.stop_loss_rate
        if most is not None and most.unit not in ("kW-month", "month"):
            raise ValueError(f"stop_loss_rate: {most.unit} limits no month: kW-month or month")

    @property
    def words(self) -> str:
        """`penalty on energy over the level: 6 USD a kWh (example)`."""
        cost = f"{self.factor} x the price" if self.factor is not None else _rate(self.rate)
        parts = [f"penalty on {_EXCESS[self.excess]}: {cost}"]
        parts += [f"netted within {span(self.netting)}"] if self.netting is not None else []
        parts += [f"ratio at most {self.ratio_cap}"] if self.ratio_cap is not None else []
        parts += [f"stop-loss: {self.stop_loss}"] if self.stop_loss else []
        most = self.stop_loss_rate
        parts += [f"at most {most.words} is lost"] if most is not None else []
        parts += ["what was paid is claimed back"] if self.claw_back else []
        parts += [self.suspension] if self.suspension else []
        return "; ".join(parts)


def _rate(rate: Rate | None) -> str:
    return "rate: see the tariff" if rate is None else rate.words


_EXCESS = {
    Excess.OVER_LEVEL: "energy over the firm service level",
    Excess.SHORTFALL: "what was not delivered",
    Excess.SCORE: "the score (actual less ratio x obligation)",
}
