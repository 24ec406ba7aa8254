"""All limits on a site at an instant, combined by intersection, each with its cause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One number and who asks for it."""

    value: float
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the site must stay inside now.

    `import_w`: power at the PCC must not exceed it. `export_w`: power at the PCC must not fall
    below it (negative by the load convention). `node_current_a`: per phase, by circuit node.
    """

    import_w: Bound
    export_w: Bound | None
    node_current_a: dict[str, Bound]
    event: bool = False
    """True while a utility's instruction is in force (batteries may then help)."""
