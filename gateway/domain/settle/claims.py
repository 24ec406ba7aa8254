"""Several programs and one kWh: each settles on its own baseline, a kWh is paid once.

Who is credited first is said by the programs (`Exclusivity.paid_first`); where they say nothing the
emergency program is, then the lower precedence, as in dispatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.rows import seconds_of
from gateway.domain.program import Program
from gateway.domain.program.joining import Beside
from gateway.domain.settle.energy import Paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one program would pay for by itself, on its own baseline."""

    program: Program
    paid: Sequence[Paid]
    exported: Mapping[Interval, Decimal] = field(default_factory=dict)
    """Energy fed in, kW s by meter interval: what a program that pays exports only looks at."""


def credited(claims: Iterable[Claim]) -> dict[str, tuple[Paid, ...]]:
    """What each program pays for, by program id.

    In every interval the first is paid its claim, and each later one what its own claim is more
    than has been paid. A program that goes with another for exports only is paid what was fed in
    at most, and takes part in no order.
    """
    given = list(claims)
    apart = [one for one in given if _export_only(one, given)]
    paid_so_far: list[Paid] = []
    found: dict[str, tuple[Paid, ...]] = {}
    for one in in_order(claim for claim in given if claim not in apart):
        found[one.program.program_id] = tuple(_beyond(piece, paid_so_far) for piece in one.paid)
        paid_so_far.extend(found[one.program.program_id])
    for one in apart:
        found[one.program.program_id] = tuple(_at_most_exported(one, piece) for piece in one.paid)
    return found


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """By the order one of the programs says; those it does not name by emergency and precedence."""
    given = list(claims)
    said = sorted(
        (rule.paid_first for one in given for rule in one.program.rules.exclusivity),
        key=lambda order: (-len(order), order),
    )
    order = said[0] if said else ()

    def place(claim: Claim) -> tuple[int, bool, int, str]:
        names = [k for k, name in enumerate(order) if name in _names(claim.program)]
        program = claim.program
        named = names[0] if names else len(order)
        return named, not program.emergency, program.precedence, program.program_id

    return sorted(given, key=place)


def _names(program: Program) -> set[str]:
    return {program.program_id, program.template} - {""}


def _export_only(claim: Claim, others: Iterable[Claim]) -> bool:
    beside = {name for one in others if one is not claim for name in _names(one.program)}
    return any(
        rule.beside is Beside.EXPORT_ONLY and beside & set(rule.others)
        for rule in claim.program.rules.exclusivity
    )


def _beyond(piece: Paid, before: Iterable[Paid]) -> Paid:
    """What of a claim is more than others are paid for the same time."""
    taken = ZERO
    for one in before:
        common = piece.interval.intersection(one.interval)
        if common is not None:
            taken += one.kilowatt_seconds * seconds_of(common) / seconds_of(one.interval)
    left = max(ZERO, piece.kilowatt_seconds - max(ZERO, taken))
    return Paid(interval=piece.interval, kilowatt_seconds=left if taken else piece.kilowatt_seconds)


def _at_most_exported(claim: Claim, piece: Paid) -> Paid:
    most = claim.exported.get(piece.interval, ZERO)
    return Paid(interval=piece.interval, kilowatt_seconds=min(piece.kilowatt_seconds, most))
