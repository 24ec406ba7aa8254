"""Which of a site's devices have a life of their own, and how those that need it are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from site_agent.devices.points.charger import PointCharger
from site_agent.flows.control.observer import Devices
from site_agent.ports import Closing, Device


def alive(devices: Devices) -> list[Device]:
    """Those with a life of their own; chargers on OCPP live in the central system."""
    on_modbus = [one for one in devices.chargers if isinstance(one, PointCharger)]
    return [devices.meter, *devices.batteries, *devices.pv, *on_modbus]


def closing(devices: Devices) -> list[Closing]:
    """Those that may keep their last setpoint unless it is ended."""
    found = (*devices.chargers, *devices.batteries, *devices.pv)
    return [one for one in found if isinstance(one, Closing)]


async def all_closed(devices: Iterable[Closing]) -> None:
    """End all of them, side by side."""
    async with asyncio.TaskGroup() as group:
        for device in devices:
            group.create_task(device.close())
