"""Whose part of an event's money is how much, as rows of text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.measure.report import ParticipationReport
from gateway.domain.settle.parts import parts_of
from gateway.domain.words import pct
from gateway.reports import words


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One party."""

    who: str
    amount: str
    terms: str


def part_rows(
    report: ParticipationReport, names: Mapping[str, str], told: Collection[str]
) -> tuple[PartRow, ...]:
    """The aggregator's part and that of each contracted site that is told of one by one.

    Empty where no contract is known.
    """
    if not report.sharing:
        return ()
    sums: dict[str, dict[str, Decimal]] = {}
    for line in report.lines:
        parts = parts_of(report, line)
        if parts is not None:
            for who, amount in (("", parts[0]), *parts[1].items()):
                of_it = sums.setdefault(who, {})
                of_it[line.currency] = of_it.get(line.currency, Decimal(0)) + amount
    return tuple(
        PartRow(
            who=names.get(who, who) or "Aggregator",
            amount=", ".join(words.money(amount, unit) for unit, amount in sorted(found.items())),
            terms=_terms(report, who),
        )
        for who, found in sums.items()
        if not who or who in told
    )


def _terms(report: ParticipationReport, who: str) -> str:
    contract = report.sharing.get(who)
    if contract is None:
        return "what is left, and the rounding"
    earned, charged = float(contract.site_share), float(contract.site_share_of_charges)
    return f"{pct(earned)} of what it earned, {pct(charged)} of charges it caused"
