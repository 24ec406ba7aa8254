"""Devices on M-Bus, CAN and DLMS/COSEM: from settings to something that listens and may fail.

They draw nothing and go on when the grid fails, as meters with an auxiliary supply do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from contracts.time import Clock
from depot_sim.can.bms import CanBms
from depot_sim.can.slcan import SlcanAdapter
from depot_sim.config_wires import (
    CanBmsSettings,
    DlmsMeterSettings,
    MBusMeterSettings,
    WireSettings,
)
from depot_sim.dlms.framing import Hdlc, Wrapper
from depot_sim.dlms.meter import DlmsMeter, Register
from depot_sim.dlms.server import DlmsServer
from depot_sim.faults import FaultKind
from depot_sim.mbus.bus import MBus
from depot_sim.mbus.meter import MBusMeter
from depot_sim.mbus.telegram import Measured
from depot_sim.physics.battery import Battery
from depot_sim.physics.plant import Plant

Elapsed = Callable[[], float]
_W, _WH, _A, _V = 27, 30, 33, 35
"""Unit codes of IEC 62056-6-2."""


class Failing(Protocol):
    """A device as far as its faults go."""

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A device and its way to listen; entering `serving()` tells where."""

    device: Failing
    serving: Callable[[], AbstractAsyncContextManager[tuple[str, int]]]


def wire(
    config: WireSettings,
    plant: Callable[[], Plant],
    battery: Callable[[], Battery],
    clock: Clock,
    elapsed: Elapsed,
) -> Wire:
    """A device on its wire; `plant` is what a meter measures, `battery` what CAN is about."""
    if isinstance(config, CanBmsSettings):
        return _can(config, battery, clock, elapsed)
    if isinstance(config, MBusMeterSettings):
        return _mbus(config, plant, clock, elapsed)
    return _dlms(config, plant, clock, elapsed)


def _mbus(
    config: MBusMeterSettings, plant: Callable[[], Plant], clock: Clock, elapsed: Elapsed
) -> Wire:
    meter = MBusMeter(
        id=config.id,
        primary=config.address,
        identification=config.identification,
        measure=lambda: _measured(plant()),
        elapsed=elapsed,
    )
    bus = MBus([meter], clock)
    return Wire(device=meter, serving=lambda: bus.serving_tcp(config.host, config.port))


def _dlms(
    config: DlmsMeterSettings, plant: Callable[[], Plant], clock: Clock, elapsed: Elapsed
) -> Wire:
    meter = DlmsMeter(
        id=config.id,
        measure=lambda: _registers(plant()),
        elapsed=elapsed,
        password=config.password,
    )
    server = DlmsServer(meter, Hdlc if config.framing == "hdlc" else Wrapper, clock)
    return Wire(device=meter, serving=lambda: server.serving(config.host, config.port))


def _can(
    config: CanBmsSettings, battery: Callable[[], Battery], clock: Clock, elapsed: Elapsed
) -> Wire:
    bms = CanBms(id=config.id, battery=battery, elapsed=elapsed)
    adapter = SlcanAdapter([bms], clock, every_s=config.every_s)
    return Wire(device=bms, serving=lambda: adapter.serving(config.host, config.port))


def _measured(plant: Plant) -> Measured:
    return Measured(
        phases_w=plant.phases_w,
        phases_a=plant.phases_a,
        voltage_v=plant.voltage_v,
        import_wh=plant.import_wh,
        export_wh=plant.export_wh,
    )


def _registers(plant: Plant) -> Mapping[bytes, Register]:
    """Energy and power each way, currents and voltages by phase."""
    found = {
        _obis(1, 8): Register(value=plant.import_wh, unit=_WH),
        _obis(2, 8): Register(value=plant.export_wh, unit=_WH),
        _obis(1, 7): Register(value=max(0.0, plant.power_w), unit=_W),
        _obis(2, 7): Register(value=max(0.0, -plant.power_w), unit=_W),
    }
    for phase, (power_w, current_a) in enumerate(zip(plant.phases_w, plant.phases_a, strict=True)):
        first = 20 * (phase + 1)
        found |= {
            _obis(first + 1, 7): Register(value=max(0.0, power_w), unit=_W),
            _obis(first + 2, 7): Register(value=max(0.0, -power_w), unit=_W),
            _obis(first + 11, 7): Register(value=current_a, unit=_A, scaler=-2),
            _obis(first + 12, 7): Register(value=plant.voltage_v, unit=_V, scaler=-1),
        }
    return found


def _obis(quantity: int, kind: int) -> bytes:
    return bytes([1, 0, quantity, kind, 0, 255])
