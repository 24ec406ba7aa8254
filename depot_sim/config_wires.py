"""Settings of devices on M-Bus, CAN and DLMS/COSEM."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.config import Settings
from depot_sim.can import bms
from depot_sim.config_values import Id
from depot_sim.dlms import meter as dlms
from depot_sim.faults import FaultKind
from depot_sim.mbus import meter as mbus


class _WireSettings(Settings):
    """A TCP port of its own; 0 lets the system choose."""

    id: Id
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0


class MBusMeterSettings(_WireSettings):
    """An M-Bus meter behind a transparent gateway."""

    kind: Literal["mbus"]
    of: str = "pcc"
    """What it measures: the id of the grid meter or of a device, or `building`."""
    address: Annotated[int, Field(ge=1, le=250)] = 1
    identification: Annotated[str, Field(pattern=r"^\d{8}$")] = "00000001"

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return mbus.FAULTS


class DlmsMeterSettings(_WireSettings):
    """A DLMS/COSEM meter."""

    kind: Literal["dlms"]
    of: str = "pcc"
    """As with M-Bus."""
    framing: Literal["wrapper", "hdlc"] = "wrapper"
    password: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return dlms.FAULTS


class CanBmsSettings(_WireSettings):
    """The battery management of one battery, behind an adapter that speaks SLCAN."""

    kind: Literal["can"]
    of: str
    """The battery's id."""
    every_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0

    @property
    def fault_kinds(self) -> frozenset[FaultKind]:
        """What can go wrong with it."""
        return bms.FAULTS


WireSettings = Annotated[
    MBusMeterSettings | DlmsMeterSettings | CanBmsSettings, Field(discriminator="kind")
]
