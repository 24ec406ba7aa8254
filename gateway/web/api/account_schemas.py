"""What the API answers of energy accounts; money is decimal text, in the currency that is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.reading import Quality
from gateway.domain.accounts.balance import Source, Use
from gateway.domain.accounts.bill import Component
from gateway.web.api.schemas import Schema

Share = Annotated[float, Field(ge=0, le=1)]
BySource = Annotated[dict[Source, float], Field(description="Wh by where it came from.")]


class CostOut(Schema):
    """What one bears, by tariff component."""

    energy: Decimal
    demand: Annotated[Decimal, Field(description="By what it drew at the month's peak.")]
    fixed: Decimal
    total: Decimal


class BillLineOut(Schema):
    """One line of the month's bill as it should be; a credit is negative."""

    component: Component
    name: str
    quantity: Decimal
    unit: str
    amount: Decimal
    source: Annotated[str, Field(description="Who named the price: a tariff or a price source.")]
    version: Annotated[str, Field(description="Of its prices: others have another.")]
    as_of: Annotated[
        AwareDatetime | None, Field(description="Of a market: its newest word among them.")
    ]


class PeakOut(Schema):
    """One demand interval."""

    start: AwareDatetime
    end: AwareDatetime
    mean_w: float
    coverage: Share


class DemandOut(Schema):
    """One demand charge, checked."""

    name: str
    per_kw: Decimal
    amount: Annotated[Decimal, Field(description="What the bill should ask for.")]
    sure: Annotated[bool, Field(description="Every interval in which it counts was measured.")]
    unmeasured: int
    peaks: list[PeakOut]


class UseOut(Schema):
    """Where energy went, where that came from, and what it cost and emitted."""

    use: Use
    energy_wh: float
    by_source: BySource
    cost: CostOut | None
    carbon_kg: float | None


class ChargedOut(Schema):
    """One charging session, as far as it lies in the month."""

    session_id: str
    evse_id: str
    vehicle_id: Annotated[str, Field(description="Empty: nobody knows.")]
    started_at: AwareDatetime
    ended_at: AwareDatetime
    energy_wh: Annotated[float, Field(description="Measured at the EVSE in this month.")]
    register_wh: Annotated[float | None, Field(description="Of all of it, by the register.")]
    register_quality: Quality
    coverage: Share
    by_source: BySource
    cost: CostOut | None
    carbon_kg: float | None


class VehicleOut(Schema):
    """All sessions of one vehicle in the month."""

    vehicle_id: Annotated[str, Field(description="Empty: nobody knows whose.")]
    sessions: int
    energy_wh: float
    cost: CostOut | None
    carbon_kg: float | None


class EvseOut(Schema):
    """How one EVSE served; shares are of the month's time."""

    evse_id: str
    sessions: int
    energy_wh: float
    plugged_share: Share
    charging_share: Share
    idle_share: Annotated[float, Field(ge=0, le=1, description="In a session, drawing nothing.")]


class CyclesOut(Schema):
    """How hard batteries were worked."""

    equivalent_full: float
    by_depth: Annotated[dict[int, float], Field(description="Cycles up to this depth, percent.")]


class CarbonOut(Schema):
    """Location-based: of imported energy."""

    source: str
    imported_kg: float
    mean_g_per_kwh: float | None
    unknown_wh: Annotated[float, Field(description="Imported while no intensity is known.")]


class GapOut(Schema):
    """A stretch that was not known in full."""

    start: AwareDatetime
    end: AwareDatetime


class CoverageOut(Schema):
    """How much of the month a point, or an EVSE's power, was known."""

    point: str
    share: Share
    gap_count: int
    gaps: Annotated[list[GapOut], Field(description="The first of them.")]


class AccountOut(Schema):
    """The energy account of a site's month."""

    site_id: str
    month: str
    start: AwareDatetime
    end: AwareDatetime
    whole: Annotated[bool, Field(description="False: the month is not over.")]
    tariff: str | None
    tariff_source: str | None
    currency: str | None
    amount: Annotated[Decimal | None, Field(description="Sum of the lines.")]
    lines: list[BillLineOut]
    demand: list[DemandOut]
    uses: list[UseOut]
    sources_wh: BySource
    sessions: list[ChargedOut]
    vehicles: list[VehicleOut]
    nobodys: Annotated[CostOut | None, Field(description="Of charging in no session told.")]
    carbon: CarbonOut | None
    cycles: CyclesOut | None
    evses: list[EvseOut]
    coverage: list[CoverageOut]
    remarks: list[str]
