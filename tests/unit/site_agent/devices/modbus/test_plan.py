"""Blocks cover what is wanted, whole, within their limits, and are as few as can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.modbus.plan import Span, Table, plan

pytestmark = pytest.mark.row("trap:M7")
MOST = 12
SPANS = st.sets(
    st.builds(
        Span, st.sampled_from([Table.HOLDING, Table.COILS]), st.integers(0, 60), st.integers(1, 9)
    ),
    max_size=20,
)
FEW = st.sets(
    st.builds(Span, st.just(Table.INPUT), st.integers(0, 30), st.integers(1, 6)),
    min_size=1,
    max_size=6,
)


def test_neighbours_share_a_block() -> None:
    wanted = [Span(Table.INPUT, a, n) for a, n in [(40, 2), (0, 2), (4, 2), (42, 1), (100, 4)]]
    assert plan(wanted, gap=8, max_block=50) == (
        Span(Table.INPUT, 0, 6),
        Span(Table.INPUT, 40, 3),
        Span(Table.INPUT, 100, 4),
    )
    assert len(plan(wanted, gap=100, max_block=50)) == 2, "the length still binds"
    assert len(plan(wanted, gap=0, max_block=50)) == 4


def test_tables_are_not_mixed() -> None:
    wanted = [Span(table, 0, 1) for table in Table]
    assert plan(wanted, gap=10, max_block=10) == tuple(wanted)


@pytest.mark.parametrize("count", [0, -1, 13])
def test_a_point_must_fit_in_a_block(count: int) -> None:
    with pytest.raises(ValueError, match="a block"):
        plan([Span(Table.INPUT, 5, count)], gap=0, max_block=MOST)


@given(SPANS, st.integers(0, 20))
def test_every_point_lies_whole_in_a_block_and_blocks_keep_their_limits(
    wanted: set[Span], gap: int
) -> None:
    blocks = plan(wanted, gap=gap, max_block=MOST)
    assert all(any(block.covers(span) for block in blocks) for span in wanted)
    assert list(blocks) == sorted(blocks)
    for block in blocks:
        assert block.count <= MOST
        inside = [span for span in wanted if block.covers(span)]
        assert min(span.address for span in inside) == block.address
        assert max(span.end for span in inside) == block.end
        assert _longest_hole(block, inside) <= gap


@given(SPANS, st.integers(0, 20))
def test_the_order_and_repetition_of_wishes_do_not_matter(wanted: set[Span], gap: int) -> None:
    once = plan(wanted, gap=gap, max_block=MOST)
    assert plan([*sorted(wanted, reverse=True), *wanted], gap=gap, max_block=MOST) == once
    assert plan(once, gap=gap, max_block=MOST) == once


@given(FEW, st.integers(0, 8))
def test_no_cover_has_fewer_blocks(wanted: set[Span], gap: int) -> None:
    assert len(plan(wanted, gap=gap, max_block=MOST)) == _fewest(frozenset(wanted), gap)


def _longest_hole(block: Span, inside: list[Span]) -> int:
    wanted = {place for span in inside for place in range(span.address, span.end)}
    longest = run = 0
    for place in range(block.address, block.end):
        run = 0 if place in wanted else run + 1
        longest = max(longest, run)
    return longest


def _fewest(wanted: frozenset[Span], gap: int) -> int:
    """By trying everything: the first point's block may end with any other."""
    if not wanted:
        return 0
    first = min(wanted)
    best = len(wanted)
    for last in wanted:
        block = Span(first.table, first.address, max(first.end, last.end) - first.address)
        inside = [span for span in wanted if block.covers(span)]
        if block.count <= MOST and _longest_hole(block, inside) <= gap:
            best = min(best, 1 + _fewest(wanted - frozenset(inside), gap))
    return best
