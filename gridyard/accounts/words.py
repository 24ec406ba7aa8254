"""An account as people read it, and its sessions as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts

_Part = dict[str, Any]
_CENT = Decimal("0.01")
_COMPONENTS = ("energy", "demand", "fixed", "total")
COLUMNS = (
    "session_id",
    "evse_id",
    "vehicle_id",
    "started_at",
    "ended_at",
    "energy_wh",
    "register_wh",
    "register_quality",
    "coverage",
    "currency",
    "cost_energy",
    "cost_demand",
    "cost_fixed",
    "cost_total",
    "carbon_kg",
)


def account_lines(found: _Part, zone: ZoneInfo) -> Iterator[str]:
    """Everything, section by section; what is not known is left out and told at the end."""
    start, end = (_at(found[name], zone) for name in ("start", "end"))
    yield f"{found['site_id']} {found['month']}  ({start} to {end}, {zone.key})"
    yield from _uses(found)
    yield from _bill(found, zone)
    yield from _vehicles(found)
    yield from _equipment(found)
    yield from _carbon(found)
    if found["remarks"]:
        yield "to know:"
        yield from (f"  - {remark}" for remark in found["remarks"])


def _uses(found: _Part) -> Iterator[str]:
    sources = [name for name, wh in found["sources_wh"].items() if wh > 0]
    yield "energy, kWh" + " " * 7 + "total" + "".join(f"{name:>11}" for name in sources)
    for use in found["uses"]:
        parts = "".join(f"{_kwh(use['by_source'][name]):>11}" for name in sources)
        yield f"  {use['use']:<12}{_kwh(use['energy_wh']):>9}{parts}"


def _bill(found: _Part, zone: ZoneInfo) -> Iterator[str]:
    if found["currency"] is None:
        return
    yield f"bill, {found['currency']}, by {found['tariff']}"
    for line in found["lines"]:
        quantity = f"{Decimal(line['quantity']):.1f} {line['unit']}"
        amount = _money(line["amount"])
        yield (
            f"  {line['component']:<8}{line['name']:<24}{quantity:>16}{amount:>12}"
            f"  {_said_by(line, zone)}"
        ).rstrip()
    yield f"  {'sum':<48}{_money(found['amount']):>12}"
    for demand in found["demand"]:
        sure = "" if demand["sure"] else f" (not sure: {demand['unmeasured']} not measured in full)"
        yield f"highest demand, {demand['name']}{sure}"
        for peak in demand["peaks"]:
            share = "" if peak["coverage"] >= 1 else f"  {peak['coverage']:.0%} measured"
            kw = kw_from_watts(peak["mean_w"])
            yield f"  {_at(peak['start'], zone)}  {kw:9.1f} kW{share}"


def _said_by(line: _Part, zone: ZoneInfo) -> str:
    """Who named the price, and which one; a gateway of before tells neither."""
    if not line.get("source"):
        return ""
    told = f", said {_at(line['as_of'], zone)}" if line.get("as_of") else ""
    return f"{line['source']}, version {line['version']}{told}"


def _vehicles(found: _Part) -> Iterator[str]:
    if not found["vehicles"]:
        return
    head = "".join(f"{name:>10}" for name in (*_COMPONENTS, "kg CO2e"))
    yield f"vehicle               sessions      kWh  {head}"
    for one in found["vehicles"]:
        cost = one["cost"]
        money = "".join(
            f"{'-' if cost is None else _money(cost[part]):>10}" for part in _COMPONENTS
        )
        kg = "-" if one["carbon_kg"] is None else f"{one['carbon_kg']:.1f}"
        name = one["vehicle_id"] or "(unknown)"
        yield f"  {name:<20}{one['sessions']:>8}{_kwh(one['energy_wh']):>9}  {money}{kg:>10}"
    if found["nobodys"] is not None and Decimal(found["nobodys"]["total"]):
        yield f"  in no session that was told: {_money(found['nobodys']['total'])}"


def _equipment(found: _Part) -> Iterator[str]:
    if found["evses"]:
        yield "charger               sessions      kWh   plugged  charging      idle"
    for one in found["evses"]:
        shares = "".join(
            f"{one[name]:>10.1%}" for name in ("plugged_share", "charging_share", "idle_share")
        )
        yield f"  {one['evse_id']:<20}{one['sessions']:>8}{_kwh(one['energy_wh']):>9}{shares}"
    if found["cycles"] is not None:
        depths = ", ".join(
            f"{count:g} of up to {depth} %" for depth, count in found["cycles"]["by_depth"].items()
        )
        full = f"{found['cycles']['equivalent_full']:.1f} equivalent full cycles"
        yield f"batteries: {full}" + (f" ({depths})" if depths else "")


def _carbon(found: _Part) -> Iterator[str]:
    carbon = found["carbon"]
    if carbon is not None:
        mean = carbon["mean_g_per_kwh"]
        of = "" if mean is None else f", {mean:.0f} g/kWh on the mean"
        yield f"carbon: {carbon['imported_kg']:.1f} kg CO2e imported{of} ({carbon['source']})"


def session_rows(found: _Part) -> str:
    """One row a session, with a header; SI units, money in the account's currency."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for one in found["sessions"]:
        cost = {f"cost_{name}": amount for name, amount in (one["cost"] or {}).items()}
        text = {name: _harmless(one[name]) for name in ("session_id", "evse_id", "vehicle_id")}
        writer.writerow({**one, **cost, **text, "currency": found["currency"] or ""})
    return out.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet takes a cell that begins like this for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _at(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M}"


def _kwh(wh: float) -> str:
    return f"{wh / 1000:.1f}"


def _money(amount: str) -> str:
    return f"{Decimal(amount).quantize(_CENT):.2f}"
