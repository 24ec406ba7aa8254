"""Modbus devices as two foreign clients see them: pymodbus', and pysunspec2's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from depot_sim.modbus.listener import Address

MARKER, END = [0x5375, 0x6E53], 0xFFFF


@asynccontextmanager
async def client(
    address: Address, *, patience_s: float = 5.0, framer: FramerType = FramerType.SOCKET
) -> AsyncIterator[AsyncModbusTcpClient]:
    """A connection that asks once, and is not renewed."""
    link = AsyncModbusTcpClient(
        address.host,
        port=address.port,
        framer=framer,
        timeout=patience_s,
        retries=0,
        reconnect_delay=0,
    )
    assert await link.connect()
    try:
        yield link
    finally:
        link.close()


async def scanned(address: Address) -> Any:
    """What pysunspec2's client finds, read once."""
    return await asyncio.to_thread(_scan, address)


def _scan(address: Address) -> Any:
    client: Any = SunSpecModbusClientDeviceTCP  # has no annotations
    device = client(slave_id=1, ipaddr=address.host, ipport=address.port)
    try:
        device.scan()
    finally:
        device.disconnect()
    return device


async def model_at(link: AsyncModbusTcpClient, wanted: int) -> int:
    """Header of a SunSpec model, found by walking from the marker."""
    address = 40_002
    marker = await link.read_holding_registers(address - 2, count=2, device_id=1)
    assert marker.registers == MARKER
    while True:
        header = await link.read_holding_registers(address, count=2, device_id=1)
        model_id, length = header.registers
        if model_id == wanted:
            return address
        assert model_id != END
        address += length + 2
