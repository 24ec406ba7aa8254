"""Settings of the circuit tree."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.config import Settings
from site_agent.config.values import Name
from site_agent.domain.site import ROOT


class NodeSettings(Settings):
    """A fused board or row below the connection point."""

    id: Name
    parent: Name = ROOT
    limit_a: Annotated[float, Field(gt=0, le=10000)]
    """A per phase: breaker or cable, whichever is less."""


class CircuitSettings(Settings):
    """The circuit tree. Its root, the connection point, is called `pcc`."""

    limit_a: Annotated[float, Field(gt=0, le=10000)]
    """A per phase at the connection point."""
    nodes: tuple[NodeSettings, ...] = ()
