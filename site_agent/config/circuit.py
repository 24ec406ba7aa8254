"""Settings of the circuit tree."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.config import Settings
from site_agent.config.values import Name
from site_agent.domain.site import ROOT, CircuitNode

BriefOverload = Annotated[float, Field(ge=0, le=0.45)]
"""0 to what a breaker after IEC 60898-1 bears for more than a minute: 1.45 times its rating."""


class NodeSettings(Settings):
    """A fused board or row below the connection point."""

    id: Name
    parent: Name = ROOT
    limit_a: Annotated[float, Field(gt=0, le=10000)]
    """A per phase: breaker or cable, whichever is less."""
    brief_overload: BriefOverload = 0.0
    """By how much more than `limit_a`, as a share, it may be loaded for the seconds in which
    vehicles follow new limits, by the breaker's time-current curve and what the cable bears. 0:
    whoever takes power over waits until it is given up."""


class CircuitSettings(Settings):
    """The circuit tree. Its root, the connection point, is called `pcc`."""

    limit_a: Annotated[float, Field(gt=0, le=10000)]
    """A per phase at the connection point."""
    brief_overload: BriefOverload = 0.0
    """As for a node."""
    nodes: tuple[NodeSettings, ...] = ()

    def tree(self) -> tuple[CircuitNode, ...]:
        """In the domain's words, the root first."""
        root = CircuitNode(
            node_id=ROOT, parent=None, limit_a=self.limit_a, brief_overload=self.brief_overload
        )
        return root, *(
            CircuitNode(
                node_id=node.id,
                parent=node.parent,
                limit_a=node.limit_a,
                brief_overload=node.brief_overload,
            )
            for node in self.nodes
        )
