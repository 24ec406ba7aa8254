"""All limits on a site at an instant, combined by intersection, each with its cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One number and who asks for it."""

    value: float
    cause: str


class Side(StrEnum):
    """What a limit bounds."""

    IMPORT = "import"
    """Power at the PCC from above, W."""
    EXPORT = "export"
    """Power at the PCC from below, W (negative by the load convention)."""
    LOAD = "load"
    """Chargers and charging batteries together from above, W."""
    GENERATION = "generation"
    """PV and discharging batteries together from below, W (negative by the load convention)."""
    STORAGE = "storage"
    """Not a limit: what all batteries together should do within all limits, W."""
    NODE = "node"
    """Current on each phase of a circuit node, A."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One source's bound on the site, before all are combined."""

    side: Side
    bound: Bound
    node: str | None = None
    """Which circuit node, for `Side.NODE` only."""
    event: bool = False
    """Asked for by a utility's instruction for a while, unlike an operating envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the site must stay inside now.

    `import_w`: power at the PCC must not exceed it. `export_w`: power at the PCC must not fall
    below it (negative by the load convention). `node_current_a`: per phase, by circuit node. The
    others: see `Side`.
    """

    import_w: Bound
    export_w: Bound | None
    node_current_a: dict[str, Bound]
    load_w: Bound | None = None
    generation_w: Bound | None = None
    storage_w: Bound | None = None
    event: bool = False
    """True while a utility's event is in force: batteries then charge from surplus PV only."""


def combine(limits: Iterable[Limit]) -> Envelope:
    """The intersection of all limits: the tightest of each side wins and keeps its cause.

    Of equal values the first one given wins, so list standing limits before events. Of storage
    targets the last one given wins.

    Raises:
        ValueError: no import limit among them (every site has at least its contract).
    """
    known = tuple(limits)
    imports = _bounds(known, Side.IMPORT)
    if not imports:
        raise ValueError("a site without an import limit cannot be protected")
    return Envelope(
        import_w=min(imports, key=_value),
        export_w=max(_bounds(known, Side.EXPORT), key=_value, default=None),
        node_current_a=_tightest_by_node(known),
        load_w=min(_bounds(known, Side.LOAD), key=_value, default=None),
        generation_w=max(_bounds(known, Side.GENERATION), key=_value, default=None),
        storage_w=next(reversed(_bounds(known, Side.STORAGE)), None),
        event=any(limit.event for limit in known),
    )


def _bounds(limits: Iterable[Limit], side: Side) -> list[Bound]:
    return [limit.bound for limit in limits if limit.side is side]


def _tightest_by_node(limits: Iterable[Limit]) -> dict[str, Bound]:
    tightest: dict[str, Bound] = {}
    for limit in limits:
        if limit.side is Side.NODE and limit.node is not None:
            present = tightest.get(limit.node)
            if present is None or limit.bound.value < present.value:
                tightest[limit.node] = limit.bound
    return tightest


def _value(bound: Bound) -> float:
    return bound.value
