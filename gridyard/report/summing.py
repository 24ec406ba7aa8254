"""A program's summary as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from contracts.errors import ConfigError
from gateway.domain.measure.shortfall import WORDS, Cause
from gridyard.report.asking import Json

_KINDS = ("csv", "xlsx")


def kind_of(path: Path) -> str:
    """By the ending of a file.

    Raises:
        ConfigError: it is none that a summary is written as.
    """
    kind = path.suffix.removeprefix(".")
    if kind not in _KINDS:
        raise ConfigError(f"{path.name!r} must end in .csv or .xlsx")
    return kind


def lines(found: Json) -> Iterator[str]:
    """The whole, why less, each event, each site."""
    whole = found["totals"]
    yield f"{found['program_name']}, {found['period']}" + " SIMULATED" * found["simulated"]
    yield (
        f"events: {whole['events']}, {whole['duration_s'] / 3600:.1f} h; still preliminary: "
        f"{found['preliminary']}; test events left out: {found['tests']}"
    )
    if not found["events"]:
        return
    yield _figures(whole)
    for cause in whole["causes"]:
        words = WORDS[Cause(cause["cause"])]
        kwh = cause["energy_wh"] / 1000
        power = _kw(cause["mean_w"])
        yield f"  missing {power} ({kwh:.1f} kWh) {words}, in events: {cause['events']}"
    for one in found["events"]:
        test = " test" * one["test"]
        yield (
            f"{one['window']['start']}  {one['event_key']}{test}: {_kw(one['delivered_w'])} of "
            f"{_kw(one['asked_w'])}, {_pct(one['performance_pct'])}"
        )
    for site in found["sites"]:
        left = f"; left events: {site['opted_out']}" if site["opted_out"] else ""
        yield f"{site['name']}: {_figures(site['totals'])}{left}"


def _figures(of: Json) -> str:
    share = of["available_share"]
    rebound = of["rebound_wh"]
    return (
        f"promised {_kw(of['committed_w'])}, asked {_kw(of['asked_w'])}, delivered "
        f"{_kw(of['delivered_w'])}, {_pct(of['performance_pct'])}; available "
        f"{_pct(None if share is None else 100 * share)} of the time; rebound "
        f"{'n/a' if rebound is None else f'{rebound / 1000:.1f} kWh'}; vehicles ready "
        f"{of['vehicles_ready']} of {of['vehicles_total']}"
    )


def _kw(power_w: float | None) -> str:
    return "n/a" if power_w is None else f"{power_w / 1000:.1f} kW"


def _pct(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0f} %"
