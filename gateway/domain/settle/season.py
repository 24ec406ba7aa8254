"""Money settled once a season or a year: the mean kW, and the charge on load in system peaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import EventResult
from gateway.domain.measure.firm_level import season_mean_kw
from gateway.domain.program import Program
from gateway.domain.settle.line import Kind, Line, priced, said, unpriced


def average_lines(
    program: Program, season: str, results: Iterable[EventResult]
) -> tuple[Line, ...]:
    """What the mean kW of a season's events is paid."""
    kept = list(results)
    lines: list[Line] = []
    for pay in program.rules.average_pay:
        mean = season_mean_kw(kept, pay.weighting, pay.missed)
        if mean is None or pay.rate is None:
            problem = "there was no event" if mean is None else "rate: see the tariff"
            lines.append(
                unpriced(
                    Kind.AVERAGE,
                    season,
                    mean or ZERO,
                    "kW",
                    problem,
                    rule=pay.words,
                    source=pay.source,
                )
            )
            continue
        lines.append(
            priced(
                Kind.AVERAGE,
                season,
                mean,
                "kW",
                pay.rate,
                amount=mean * pay.rate.amount,
                rule=pay.words,
                inputs=(f"mean of {len(kept)} events: {said(mean)} kW",),
                source=pay.source,
            )
        )
    return tuple(lines)


def peak_lines(program: Program, year: str, loads_kw: Mapping[int, Decimal]) -> tuple[Line, ...]:
    """The charge of a year on the load in the top interval of each month of the year before.

    `loads_kw` is by month. A charge is negative.
    """
    lines: list[Line] = []
    for charge in program.rules.peak_charge:
        months = sorted(charge.months or range(1, 13))
        missing = [month for month in months if month not in loads_kw]
        known = [loads_kw[month] for month in months if month in loads_kw]
        mean = sum(known, ZERO) / len(known) if known else ZERO
        problem = f"the load in the peak of month {', '.join(map(str, missing))}" if missing else ""
        problem = problem or ("" if charge.rate else "rate: see the tariff")
        if problem or charge.rate is None:
            lines.append(
                unpriced(
                    Kind.PEAK, year, mean, "kW", problem, rule=charge.words, source=charge.source
                )
            )
            continue
        lines.append(
            priced(
                Kind.PEAK,
                year,
                mean,
                "kW",
                charge.rate,
                amount=-mean * charge.rate.amount,
                rule=charge.words,
                inputs=tuple(f"month {month}: {said(loads_kw[month])} kW" for month in months),
                source=charge.source,
            )
        )
    return tuple(lines)
