"""Baselines as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Json = Mapping[str, Any]


def method_lines(found: Sequence[Json]) -> Iterator[str]:
    """A method with where it comes from."""
    for one in found:
        yield one["rule"]
        yield f"    after   {one['source']} (not certified against it)"
        yield f"    read    {one['read']}"
        yield f"    check   {one['check']}"
        if one["needs"]:
            yield f"    needs   {one['needs']}"


def run_lines(found: Json) -> Iterator[str]:
    """One event: the rule, its days, its adjustment, every interval."""
    zone = ZoneInfo(found["time_zone"])
    yield found["rule"]
    used = [one["day"] for one in found["days"] if one["used"]]
    if found["days"]:
        yield f"days used: {', '.join(used) or 'none'}"
    for one in (*found["days"], *found["controls"]):
        if not one["used"]:
            yield f"  not {one.get('day') or one.get('name')}: {one['reason']}"
    if found["fallback"]:
        yield found["fallback"]
    if found["problem"]:
        yield f"no baseline: {found['problem']}"
        return
    yield _adjustment(found["adjustment"])
    yield f"{'':16} {'baseline':>10} {'load':>10} {'delivered':>10}  kW ({found['time_zone']})"
    for one in found["intervals"]:
        at = datetime.fromisoformat(one["start"]).astimezone(zone)
        powers = (one["baseline_w"], one["actual_w"], one["delivered_w"])
        thin = "  fewer days" if one["thin"] else ""
        yield f"{at:%Y-%m-%d %H:%M} " + " ".join(f"{_kw(w):>10}" for w in powers) + thin
    if found["gaps"]:
        yield f"{len(found['gaps'])} intervals without a baseline: left open"
    yield f"mean delivered: {_kw(found['delivered_mean_w'])} kW"


def fair_lines(found: Sequence[Json]) -> Iterator[str]:
    """A line a method, those with the smallest error first."""
    head = ("days", "bias %", "CV(RMSE) %", "MAPE %", "over %", "under %")
    yield f"{'':32}" + "".join(f"{one:>12}" for one in head)
    unknown = float("inf")
    for one in sorted(
        found, key=lambda one: unknown if one["cvrmse_pct"] is None else one["cvrmse_pct"]
    ):
        values = (one[f"{name}_pct"] for name in ("bias", "cvrmse", "mape", "over", "under"))
        shown = "".join(f"{'-' if v is None else f'{v:.1f}':>12}" for v in values)
        yield f"{one['method']:32}{one['days_judged']:>12}{shown}"
    yield from _why_none(found)
    yield "a positive bias overstates what is delivered; judged on days without event"


def _why_none(found: Sequence[Json]) -> Iterator[str]:
    """Where no day could be judged by any method: what most days lack."""
    if not found or any(one["days_judged"] for one in found):
        return
    reasons = Counter(day["reason"] for one in found for day in one["days"])
    why = reasons.most_common(1)[0][0] if reasons else "no day was looked at"
    yield f"no day could be judged: {why}; other hours may have data (--at, --hours, --days)"


def _adjustment(one: Json) -> str:
    if one["value"] is None:
        return f"not adjusted: {one['reason']}"
    by = f"x {one['value']:.3f}" if one["kind"] == "ratio" else f"{one['value'] / 1000:+.3f} kW"
    return f"adjusted {by}{' (at its bound)' if one['capped'] else ''}: {one['reason']}"


def _kw(watts: float | None) -> str:
    return "-" if watts is None else f"{watts / 1000:.3f}"
