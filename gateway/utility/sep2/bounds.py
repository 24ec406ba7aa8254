"""Arithmetic of `SiteBounds`: the tightest of several, and a site's part of a common one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import zip_longest

from contracts.inverter import FixedVar, InverterFunction, Inverters, slot
from contracts.time import Interval
from gateway.domain.operating_envelope import FREE, EnvelopeStep, SiteBounds

_PARTS = (Inverters.GENERATION, Inverters.STORAGE)
_MILLI = 1000
"""Shares are cut in whole mW, so that they add up exactly."""


def tightest(bounds: Iterable[SiteBounds]) -> SiteBounds:
    """What satisfies all of them: of each bound the tighter.

    Of two storage targets the one nearer to doing nothing; if one charges and the other
    discharges, nothing. A `False` for `energize` beats a `True`. Functions of inverters hold side
    by side, see `side_by_side`.
    """
    result, together = FREE, list(bounds)
    for one in together:
        result = SiteBounds(
            import_limit_w=_of(min, result.import_limit_w, one.import_limit_w),
            export_limit_w=_of(max, result.export_limit_w, one.export_limit_w),
            load_limit_w=_of(min, result.load_limit_w, one.load_limit_w),
            generation_limit_w=_of(max, result.generation_limit_w, one.generation_limit_w),
            storage_power_w=_of(_calmer, result.storage_power_w, one.storage_power_w),
            energize=_both(result.energize, one.energize),
        )
    return replace(result, inverter_functions=side_by_side(together))


def side_by_side(bounds: Sequence[SiteBounds]) -> tuple[InverterFunction, ...]:
    """The functions that inverters follow when several are asked for, whatever their order.

    Where two want the same `slot` of the same inverters, the one that is for generation or storage
    alone goes before one for all; of two alike the first in order of what they say. There is no
    tighter one among them. (Of one device they are `opModFixedVar` and `opModTargetVar` at once.)
    """
    held: dict[tuple[str, Inverters], InverterFunction] = {}
    asked = (function for one in bounds for function in one.inverter_functions)
    for function in sorted(asked, key=_place):
        for part in _PARTS if function.on is Inverters.ALL else (function.on,):
            held.setdefault((slot(function), part), replace(function, on=part))
    return tuple(_whole(held))


def _whole(held: Mapping[tuple[str, Inverters], InverterFunction]) -> Iterator[InverterFunction]:
    """One function for all inverters where both parts follow the same."""
    for name in sorted({name for name, _ in held}):
        parts = [held[name, part] for part in _PARTS if (name, part) in held]
        common = {replace(part, on=Inverters.ALL) for part in parts}
        yield from common if len(parts) > len(common) else parts


def at_least_as_tight(one: SiteBounds, other: SiteBounds) -> bool:
    """Whether whoever keeps `one` keeps `other` too.

    Different storage targets do not compare, nor do different functions of inverters.
    """
    same_target = one.storage_power_w == other.storage_power_w
    same_functions = one.inverter_functions == other.inverter_functions
    return same_target and same_functions and tightest((one, other)) == one


def share_of(bounds: SiteBounds, site: str, weights: Mapping[str, float]) -> SiteBounds:
    """One site's part of bounds on several together, by weight; all parts add up exactly (mW).

    Of what inverters do by themselves only reactive power in var is cut.
    """
    if len(weights) == 1:
        return bounds
    before = Fraction(0)
    for name, weight in weights.items():
        if name == site:
            break
        before += Fraction(weight)
    upto = before + Fraction(weights[site])
    total = sum((Fraction(weight) for weight in weights.values()), Fraction(0))

    def part(value: float | None) -> float | None:
        return None if value is None else _cut(value, before / total, upto / total)

    return SiteBounds(
        import_limit_w=part(bounds.import_limit_w),
        export_limit_w=part(bounds.export_limit_w),
        load_limit_w=part(bounds.load_limit_w),
        generation_limit_w=part(bounds.generation_limit_w),
        storage_power_w=part(bounds.storage_power_w),
        energize=bounds.energize,
        inverter_functions=tuple(
            replace(one, var=part(one.var)) if isinstance(one, FixedVar) else one
            for one in bounds.inverter_functions
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bounds over `[start, end)` with their reason."""

    interval: Interval
    bounds: SiteBounds
    what: str
    """What is asked: `opModImpLimW 20000 W`."""
    why: str
    """Who asks."""


def combined(pieces: Sequence[Piece]) -> tuple[EnvelopeStep, ...]:
    """Steps in order of time, each with the tightest of all pieces in force; free spans left out.

    Open-ended pieces hold to the end, so that the last step is open-ended when one of them is.
    """
    edges = sorted({edge for piece in pieces for edge in _edges(piece.interval)})
    steps: list[EnvelopeStep] = []
    for start, end in zip_longest(edges, edges[1:]):
        binding = [p for p in pieces if start in p.interval and p.bounds != FREE]
        if not binding:
            continue
        bounds, cause = tightest(piece.bounds for piece in binding), _cause(binding)
        span = Interval(start=start, end=end)
        last = steps[-1] if steps else None
        if last and (last.interval.end, last.bounds, last.cause) == (start, bounds, cause):
            span = Interval(start=steps.pop().interval.start, end=end)
        steps.append(EnvelopeStep(interval=span, bounds=bounds, cause=cause))
    return tuple(steps)


def _cause(pieces: Sequence[Piece]) -> str:
    """Everything asked, each asker once."""
    asked: dict[str, list[str]] = {}
    for piece in pieces:
        asked.setdefault(piece.why, []).append(piece.what)
    return "; ".join(f"{', '.join(dict.fromkeys(what))}: {why}" for why, what in asked.items())


def _place(function: InverterFunction) -> tuple[bool, str]:
    return function.on is Inverters.ALL, repr(function)


def _edges(interval: Interval) -> list[datetime]:
    return [interval.start] if interval.end is None else [interval.start, interval.end]


def _of(tighter: Callable[[float, float], float], a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return tighter(a, b)


def _calmer(a: float, b: float) -> float:
    if (a < 0) != (b < 0) and a and b:
        return 0.0
    return min(a, b, key=abs)


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is None or b is None:
        return b if a is None else a
    return a and b


def _cut(value: float, begin: Fraction, end: Fraction) -> float:
    total = round(value * _MILLI)
    return (round(total * end) - round(total * begin)) / _MILLI
