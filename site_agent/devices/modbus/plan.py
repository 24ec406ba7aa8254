"""Which requests read a set of points: neighbours share one, and no point is torn apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Table(IntEnum):
    """One of the four address spaces of a unit, by the function code that reads it."""

    COILS = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`count` registers (or bits) of a table from `address` on."""

    table: Table
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.count

    def covers(self, other: Span) -> bool:
        """Whether `other` lies wholly in it."""
        return self.table == other.table and self.address <= other.address and other.end <= self.end


def plan(wanted: Iterable[Span], *, gap: int, max_block: int) -> tuple[Span, ...]:
    """The fewest blocks in which every wanted span lies whole, in ascending order.

    A block reads at most `max_block` registers (or bits), and never more than `gap` in a row that
    nobody wants: some devices refuse a read over addresses they do not have (`gap=0` for those).

    Raises:
        ValueError: a span is empty or longer than `max_block`.
    """
    blocks: list[Span] = []
    for span in sorted(set(wanted)):
        if not 1 <= span.count <= max_block:
            raise ValueError(f"{span.count} registers at {span.address}: 1 to {max_block} a block")
        joined = _joined(blocks[-1], span, gap) if blocks else None
        if joined is not None and joined.count <= max_block:
            blocks[-1] = joined
        else:
            blocks.append(span)
    return tuple(blocks)


def _joined(block: Span, span: Span, gap: int) -> Span | None:
    """One block for both; None when they lie too far apart. `span` does not begin before it."""
    if block.table != span.table or span.address - block.end > gap:
        return None
    return Span(block.table, block.address, max(block.end, span.end) - block.address)
