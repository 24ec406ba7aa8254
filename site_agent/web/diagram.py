"""The single-line picture of the site: where everything stands on the drawing.

From the top: the grid, the meter, the root busbar; then, by depth of the circuit tree, each node
with its fuse, the load of its phases and what hangs on it, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from site_agent.domain.device import PHASES
from site_agent.domain.site import ROOT, CircuitNode
from site_agent.domain.why.answer import amps, kw
from site_agent.domain.why.index import Index
from site_agent.domain.why.limits import root_a
from site_agent.web.cells import Cell, short, why_url

Cells = Mapping[str, Sequence[Cell]]
"""By the node they hang on."""
CELL_W, CELL_H = 132, 92
GAP, DROP, HEAD = 10, 16, 46
"""Between cells; from a busbar to its cells; the words above a busbar."""
INDENT, EDGE = 26, 14
_GRID_H = 112
_FULL, _HIGH = 0.97, 0.85
"""Shares of a fuse that are shown as used up, and as high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The load of one phase of a node."""

    name: str
    text: str
    share: float
    """Of its limit, 0 to 1."""
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A cell at its place."""

    x: int
    y: int
    bus_y: int
    """Of the busbar it hangs on."""
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """A busbar: one row of a node."""

    x: int
    y: int
    width: int
    flow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One circuit node."""

    node: str
    name: str
    limit: str
    url: str
    x: int
    y: int
    phases: tuple[Phase, ...]
    buses: tuple[Bus, ...]
    cells: tuple[Placed, ...]
    trunk: tuple[int, int, int]
    """x, from y, to y: the line that joins its rows and the nodes below."""
    feed: tuple[int, int, int] | None
    """From x, to x, y: the branch that feeds it; None for the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """The whole drawing, in units of about one pixel."""

    key: str
    width: int
    height: int
    grid_x: int
    grid_text: str
    grid_line: str
    """The limit that holds at the grid."""
    grid_flow: str
    blocks: tuple[Block, ...]
    label: str
    """The picture in words, for those who cannot see it."""


def columns_for(cells: Cells, least: int, most: int) -> int:
    """As many cells a row as the fullest node has, within these bounds."""
    return max(least, min(most, 1 + max(map(len, cells.values()))))


def diagram(index: Index, cells: Cells, key: str, columns: int) -> Diagram:
    """The drawing of these cells with so many a row at most (less on deeper nodes)."""
    width = 2 * EDGE + columns * (CELL_W + GAP) + INDENT
    blocks = tuple(_blocks(index, cells, ROOT, EDGE, _GRID_H, width))
    seen, snapshot = index.seen, index.seen.snapshot
    power_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    text, flow = _grid(power_w)
    bound = seen.decision.envelope.import_w
    return Diagram(
        key=key,
        width=width,
        height=max(_bottom(block) for block in blocks) + EDGE,
        grid_x=EDGE + 24,
        grid_text=text,
        grid_line=f"limit {kw(bound.value)}",
        grid_flow=flow,
        blocks=blocks,
        label=f"Single-line picture. Grid: {text}. " + " ".join(_words(blocks)),
    )


def _grid(power_w: float | None) -> tuple[str, str]:
    if power_w is None:
        return "meter silent", "none"
    if power_w < 0:
        return f"export {kw(-power_w)}", "out"
    return f"import {kw(power_w)}", "in" if power_w > 0 else "none"


def _blocks(
    index: Index, cells: Cells, node_id: str, x: int, y: int, width: int
) -> Iterator[Block]:
    """A node and all below it, from the top down."""
    nodes = index.seen.snapshot.model.nodes
    node = next(one for one in nodes if one.node_id == node_id)
    block = _block(index, node, cells.get(node_id, []), x, y, width)
    below: list[Block] = []
    bottom = _bottom(block)
    for child in nodes:
        if child.parent == node_id:
            nested = list(_blocks(index, cells, child.node_id, x + INDENT, bottom + GAP, width))
            below += nested
            bottom = max(_bottom(one) for one in nested)
    feeds = [one.feed for one in below if one.feed is not None and one.feed[0] == x]
    ends = max([block.trunk[2], *(feed[2] for feed in feeds)])
    yield replace(block, trunk=(x, block.trunk[1], ends))
    yield from below


def _block(
    index: Index, node: CircuitNode, cells: Sequence[Cell], x: int, y: int, width: int
) -> Block:
    columns = max(1, (width - x - EDGE) // (CELL_W + GAP))
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)] or [[]]
    buses, placed = [], []
    bus_y = y + HEAD
    for row in rows:
        span = width - x - EDGE if row is rows[0] else len(row) * (CELL_W + GAP) - GAP
        buses.append(Bus(x=x, y=bus_y, width=span, flow=_flow_of(row)))
        for i, cell in enumerate(row):
            at = x + 4 + i * (CELL_W + GAP)
            placed.append(Placed(x=at, y=bus_y + DROP, bus_y=bus_y, cell=cell))
        bus_y += DROP + CELL_H + GAP + 4 if row else GAP
    root = node.parent is None
    return Block(
        node=node.node_id,
        name="Grid connection" if root else short(node.node_id, 24),
        limit=f"fuse {amps(node.limit_a)}",
        url=why_url(node.node_id),
        x=x,
        y=y,
        phases=tuple(_phases(index, node)),
        buses=tuple(buses),
        cells=tuple(placed),
        trunk=(x, y + HEAD, buses[-1].y),
        feed=None if root else (x - INDENT, x, y + HEAD),
    )


def _phases(index: Index, node: CircuitNode) -> Iterator[Phase]:
    seen, loads = index.seen, index.loads
    measured = root_a(seen.snapshot) if node.parent is None else None
    bound = seen.decision.envelope.node_current_a.get(node.node_id)
    limit_a = node.limit_a if bound is None else bound.value
    for phase in PHASES:
        load = loads.get((node.node_id, phase), 0.0)
        current = load if measured is None else measured[phase - 1]
        share = 0.0 if current is None or limit_a <= 0 else min(1.0, abs(current) / limit_a)
        tone = "bad" if share >= _FULL else "warn" if share >= _HIGH else "busy"
        text = "n/a" if current is None else amps(current)
        yield Phase(name=f"L{phase}", text=text, share=share, tone=tone)


def _flow_of(cells: Sequence[Cell]) -> str:
    flows = {cell.flow for cell in cells}
    return "in" if "in" in flows else "out" if "out" in flows else "none"


def _bottom(block: Block) -> int:
    lowest = max((placed.y + CELL_H for placed in block.cells), default=block.y + HEAD + GAP)
    return lowest + 6


def _words(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        phases = ", ".join(f"{phase.name} {phase.text}" for phase in block.phases)
        yield f"{block.name}, {block.limit}: {phases}; {len(block.cells)} devices."
