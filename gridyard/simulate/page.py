"""One page with everything of a run, in one file: tables and plots, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gridyard.simulate.measure import Result, Stayed
from gridyard.simulate.scenario import Case
from gridyard.simulate.tables import summary_lines

_MOST_TICKS = 8
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 900.0, 240.0, 56.0, 22.0
_COLOURS = {
    "import_w": "#1f5fa8",
    "charging_w": "#2b8a3e",
    "building_w": "#868e96",
    "pv_w": "#e8a400",
    "storage_w": "#9c36b5",
}
_NAMES = {
    "import_w": "at the grid",
    "charging_w": "vehicles",
    "building_w": "building",
    "pv_w": "PV",
    "storage_w": "batteries",
}
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{overflow-x:auto;background:rgba(128,128,128,.12);padding:.8rem;border-radius:.4rem}
svg{width:100%;height:auto} text{font:11px system-ui,sans-serif;fill:currentColor}
.key span{margin-right:1.2em} .key i{display:inline-block;width:1em;height:.7em;margin-right:.3em}
"""


def page(results: Sequence[Result], case: Case) -> str:
    """The page as HTML."""
    title = escape(f"{case.settings.name}: seed {results[0].seed}")
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{escape(case.settings.about)}</p>",
        f"<pre>{escape(chr(10).join(summary_lines(results, case)))}</pre>",
        f"<p class=key>{''.join(_key())}</p>",
    ]
    for one in results:
        parts.append(f"<h2>{escape(one.strategy)}</h2>")
        parts.append(_flows(one, case))
        parts.append(_plugs(one, case))
    parts.append("</body></html>")
    return "\n".join(parts)


def _key() -> Iterator[str]:
    for name, colour in _COLOURS.items():
        yield f"<span><i style='background:{colour}'></i>{_NAMES[name]}</span>"
    yield "<span><i style='background:#d6336c'></i>limit</span>"


def _flows(one: Result, case: Case) -> str:
    """Power over time, kW."""
    trace = one.trace
    names = [name for name in _COLOURS if any(getattr(trace, name))]
    high = 1.05 * max([one.limit_w, *(max(getattr(trace, name)) for name in names)])
    low = 1.05 * min([0.0, *(min(getattr(trace, name)) for name in names)])
    hours = case.settings.hours

    def x(minute: float) -> float:
        return _LEFT + (_WIDTH - _LEFT) * minute / 60.0 / hours

    def y(watts: float) -> float:
        share: float = (high - watts) / (high - low)
        return (_HEIGHT - _BOTTOM) * share

    lines = [
        _line(name, [(x(m), y(w)) for m, w in zip(trace.minute, getattr(trace, name), strict=True)])
        for name in names
    ]
    limit = y(one.limit_w)
    lines.append(
        f"<line x1={_LEFT} x2={_WIDTH} y1={limit:.1f} y2={limit:.1f} stroke=#d6336c "
        "stroke-dasharray='6 4'/>"
    )
    lines += [
        f"<text x={_LEFT - 6} y={y(kw * 1000) + 4:.1f} text-anchor=end>{kw:g} kW</text>"
        for kw in _ticks(low / 1000, high / 1000)
    ]
    lines += _hours(one, case, _HEIGHT - 6)
    what = f"Power by time, strategy {escape(one.strategy)}"
    return (
        f"<svg viewBox='0 0 {_WIDTH:g} {_HEIGHT:g}' role=img aria-label='{what}'>"
        f"{''.join(lines)}</svg>"
    )


def _line(name: str, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline fill=none stroke='{_COLOURS[name]}' stroke-width=1.3 points='{path}'/>"


def _plugs(one: Result, case: Case) -> str:
    """Who was at which plug: a bar a stay."""
    plugs = sorted({stay.evse_id for stay in one.stays})
    row, hours = 9.0, case.settings.hours
    height = row * len(plugs) + _BOTTOM
    ready = {left.vehicle_id: left.ready for left in one.left}

    def x(minute: float) -> float:
        return _LEFT + (_WIDTH - _LEFT) * minute / 60.0 / hours

    def bar(stay: Stayed) -> str:
        since = x((stay.since - one.begin).total_seconds() / 60.0)
        until = x((stay.until - one.begin).total_seconds() / 60.0)
        top = plugs.index(stay.evse_id) * row
        colour = "#2b8a3e" if ready.get(stay.vehicle_id, True) else "#d6336c"
        told = (
            f"{stay.vehicle_id} at {stay.evse_id}, "
            f"{stay.since.astimezone(case.zone):%H:%M} to "
            f"{stay.until.astimezone(case.zone):%H:%M}, "
            f"{stay.energy_wh / 1000:.1f} kWh"
        )
        return (
            f"<rect x={since:.1f} y={top:.1f} width={max(1.0, until - since):.1f} "
            f"height={row - 2} rx=2 fill='{colour}'><title>{escape(told)}</title></rect>"
        )

    bars = [bar(stay) for stay in one.stays]
    names = [
        f"<text x={_LEFT - 6} y={i * row + row - 2:.1f} text-anchor=end>{escape(name)}</text>"
        for i, name in enumerate(plugs)
    ]
    marks = _hours(one, case, height - 6)
    what = f"Vehicles at plugs by time, strategy {escape(one.strategy)}"
    return (
        f"<svg viewBox='0 0 {_WIDTH:g} {height:g}' role=img aria-label='{what}'>"
        f"{''.join([*bars, *names, *marks])}</svg>"
    )


def _hours(one: Result, case: Case, y: float) -> list[str]:
    """Clock times along the bottom."""
    every = max(1, round(case.settings.hours / 12))
    local = one.begin.astimezone(case.zone)
    marks = []
    for hour in range(0, int(case.settings.hours) + 1, every):
        place = _LEFT + (_WIDTH - _LEFT) * hour / case.settings.hours
        clock = (local.hour + hour) % 24
        marks.append(f"<text x={place:.1f} y={y:.1f}>{clock:02d}:{local.minute:02d}</text>")
    return marks


def _ticks(low: float, high: float) -> list[float]:
    span = high - low
    step = next(one for one in (10, 25, 50, 100, 250, 500, 1000, 2500) if span / one <= _MOST_TICKS)
    first = -(-int(low) // step) * step
    return [float(first + i * step) for i in range(int((high - first) // step) + 1)]
