"""An energy account as tables for people: rounded, with units, on the site's wall clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts
from gateway.domain.words import pct
from gateway.web.api.account_schemas import AccountOut, CostOut

_CENT = Decimal("0.01")
_COST = ("Energy", "Demand", "Fixed", "Cost")
_SESSION = ("Session", "Charger", "Vehicle", "From", "To")
Head = tuple[str, bool]
"""Title, and whether figures stand below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTable:
    """One table."""

    id: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The page."""

    when: str
    total: str
    tables: tuple[AccountTable, ...]
    remarks: Sequence[str]


def account_view(found: AccountOut, zone: ZoneInfo) -> AccountView:
    """Tables that would be empty are left out."""
    over = "" if found.whole else ", so far"
    return AccountView(
        when=f"{_at(found.start, zone)} to {_at(found.end, zone)}, {zone.key}{over}",
        total="Nothing is priced"
        if found.amount is None
        else f"{_money(found.amount)} {found.currency}",
        tables=tuple(one for one in _tables(found, zone) if one.rows),
        remarks=found.remarks,
    )


def _tables(found: AccountOut, zone: ZoneInfo) -> Iterator[AccountTable]:
    currency = found.currency or ""
    costs = tuple((f"{name}, {currency}" if currency else name, True) for name in _COST)
    yield _table("uses", "Where energy went", ("Use", "kWh", *costs, "kg CO2e"), _uses(found))
    yield _table(
        "bill",
        "The bill as it should be",
        ("Line", ("Quantity", True), (f"Amount, {currency}", True), "Price by", "Version"),
        _lines(found, zone),
    )
    yield _table(
        "demand", "Highest demand", ("Charge", "Interval", "kW", "Measured"), _peaks(found, zone)
    )
    yield _table(
        "sessions",
        "Charging sessions",
        (
            "Session",
            "Charger",
            "Vehicle",
            "From",
            "To",
            "kWh",
            "By register, kWh",
            *costs,
            "kg CO2e",
        ),
        _sessions(found, zone),
    )
    yield _table(
        "vehicles",
        "Vehicles",
        ("Vehicle", ("Sessions", True), "kWh", *costs, "kg CO2e"),
        _vehicles(found),
    )
    yield _table(
        "chargers",
        "Chargers",
        ("Charger", ("Sessions", True), "kWh", ("In a session", True), ("Idle in it", True)),
        (
            (e.evse_id, str(e.sessions), _kwh(e.energy_wh), pct(e.plugged_share), pct(e.idle_share))
            for e in found.evses
        ),
    )
    yield _table(
        "coverage",
        "What was measured",
        ("Point", ("Of the time", True), ("Gaps", True)),
        ((one.point, pct(one.share), str(one.gap_count)) for one in found.coverage),
    )


def _table(
    name: str, title: str, heads: Sequence[str | Head], rows: Iterator[tuple[str, ...]]
) -> AccountTable:
    """A head that names a unit of energy, power or carbon has figures below it."""
    told = tuple(
        (one, one.endswith(("kWh", "kW", "CO2e"))) if isinstance(one, str) else one for one in heads
    )
    return AccountTable(id=name, title=title, heads=told, rows=tuple(rows))


def _uses(found: AccountOut) -> Iterator[tuple[str, ...]]:
    for one in found.uses:
        yield one.use, _kwh(one.energy_wh), *_cost(one.cost), _kg(one.carbon_kg)


def _lines(found: AccountOut, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for one in found.lines:
        said = "" if one.as_of is None else f", said {_at(one.as_of, zone)}"
        quantity = f"{one.quantity:.1f} {one.unit}"
        yield one.name, quantity, _money(one.amount), one.source + said, one.version


def _peaks(found: AccountOut, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for audit in found.demand:
        for peak in audit.peaks:
            yield (
                audit.name,
                _at(peak.start, zone),
                f"{kw_from_watts(peak.mean_w):.1f}",
                pct(peak.coverage),
            )


def _sessions(found: AccountOut, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for one in found.sessions:
        register = "unknown" if one.register_wh is None else _kwh(one.register_wh)
        yield (
            one.session_id,
            one.evse_id,
            one.vehicle_id or "unknown",
            _at(one.started_at, zone),
            _at(one.ended_at, zone),
            _kwh(one.energy_wh),
            register,
            *_cost(one.cost),
            _kg(one.carbon_kg),
        )


def _vehicles(found: AccountOut) -> Iterator[tuple[str, ...]]:
    for one in found.vehicles:
        name = one.vehicle_id or "unknown"
        yield (
            name, str(one.sessions), _kwh(one.energy_wh), *_cost(one.cost), _kg(one.carbon_kg),
        )  # fmt: skip


def _cost(cost: CostOut | None) -> tuple[str, ...]:
    if cost is None:
        return ("-",) * len(_COST)
    return tuple(_money(one) for one in (cost.energy, cost.demand, cost.fixed, cost.total))


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT):,.2f}"


def _kwh(wh: float) -> str:
    return f"{wh / 1000:,.1f}"


def _kg(kg: float | None) -> str:
    return "-" if kg is None else f"{kg:,.1f}"


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
