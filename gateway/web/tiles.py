"""The portfolio's figures on the live page, each with what it stands for and how old it is."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.site_link import points
from gateway.flows.sites.live import LiveSum
from gateway.reports import words
from gateway.web.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure of the portfolio."""

    key: str
    label: str
    value: str
    unit: str
    note: str


def tiles(snapshot: Snapshot) -> tuple[Tile, ...]:
    """Load, reduction, target, baseline, offer, chargers and sites, in the order shown."""
    live = snapshot.live
    return (
        _sum_tile("load", "Load now", snapshot, points.PCC_POWER_W),
        _reduction_tile(snapshot),
        _plain_tile("target", "Target", snapshot.target_w, "load to stay under"),
        _plain_tile("baseline", "Baseline", snapshot.baseline_w, "expected without the event"),
        _sum_tile("flexibility", "Reduction on offer", snapshot, points.FLEX_DOWN_W),
        _charger_tile(snapshot),
        _tile("sites", "Sites online", f"{live.online} of {len(live.sites)}", "", "on the link"),
    )


def _tile(key: str, label: str, value: str, unit: str, note: str) -> Tile:
    return Tile(
        key=key, label=label, value=value, unit="" if value == words.NA else unit, note=note
    )


def _sum_tile(key: str, label: str, snapshot: Snapshot, point: str) -> Tile:
    figure = snapshot.live.sums[point]
    return _tile(key, label, words.kilo(figure.value), "kW", _provenance(figure, snapshot))


def _provenance(figure: LiveSum, snapshot: Snapshot) -> str:
    """How much of the portfolio a sum stands for, and how old it is."""
    if figure.oldest_at is None:
        return "no fresh data"
    of = len(snapshot.live.sites)
    part = "" if figure.sites == of else f"{figure.sites} of {of} sites, "
    return f"{part}{words.age((snapshot.now - figure.oldest_at).total_seconds())} old"


def _plain_tile(key: str, label: str, power_w: float | None, note: str) -> Tile:
    said = note if power_w is not None else "no event running"
    return _tile(key, label, words.kilo(power_w), "kW", said)


def _reduction_tile(snapshot: Snapshot) -> Tile:
    """Baseline less load, and how much of what was asked that is."""
    baseline, target, load = snapshot.baseline_w, snapshot.target_w, snapshot.load_w
    reduced = None if baseline is None or load is None else baseline - load
    if baseline is None:
        note = "no event running"
    elif reduced is None:
        note = "waiting for every site"
    elif target is None or baseline <= target:
        note = "nothing asked"
    else:
        note = f"{words.percent(100 * reduced / (baseline - target))} of what was asked"
    return _tile("reduction", "Reduction now", words.kilo(reduced), "kW", note)


def _charger_tile(snapshot: Snapshot) -> Tile:
    sums = snapshot.live.sums
    online, known = sums[points.CHARGERS_ONLINE].value, sums[points.CHARGERS_TOTAL].value
    charging = sums[points.VEHICLES_CHARGING].value
    value = words.NA if online is None or known is None else f"{online:.0f} of {known:.0f}"
    note = "no fresh data" if charging is None else f"{charging:.0f} vehicles charging"
    return _tile("chargers", "Chargers online", value, "", note)
