"""Take a capture of a device: all that it shows, and whatever else is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts.errors import ProtocolError
from contracts.time import Clock
from site_agent.devices.commissioning.capture import (
    Capture,
    Device,
    Recorder,
    without_serials,
)
from site_agent.devices.commissioning.found import Found
from site_agent.devices.commissioning.probe import Survey, meet
from site_agent.devices.commissioning.read_only import ReadOnlyLink
from site_agent.devices.modbus.plan import Span
from site_agent.devices.modbus.replies import ModbusRefusedError

MAX_BLOCK = 50
"""Registers asked for at once where nothing is known of the device."""


async def take(
    link: ReadOnlyLink,
    recorder: Recorder,
    unit: int,
    clock: Clock,
    *,
    surveys: Sequence[Survey],
    ranges: Sequence[Span] = (),
    keep_serials: bool = False,
    source: str = "",
    tell: Callable[[str], None] = lambda _: None,
) -> Capture:
    """Read the device as it is known, then `ranges` that no model or profile names.

    `recorder` is that of `link`.

    Raises:
        ProtocolError: nobody knows the device, and no range is asked for.
        NobodyThereError: no answer.
    """
    found: Found | None = None
    try:
        found = await meet(link, unit, clock, surveys)
    except ProtocolError:
        if not ranges:
            raise
    else:
        tell(f"unit {unit}: {found.name}")
    for one in ranges:
        tell(f"function {one.table}: {one.count} from {one.address}")
        await _read(link, unit, one, MAX_BLOCK)
    capture = recorder.capture(
        clock.now(),
        device=Device() if found is None else found.identity,
        profile=None if found is None else found.profile,
        source=source,
    )
    if keep_serials:
        return capture
    return without_serials(capture, () if found is None else found.serials())


async def _read(link: ReadOnlyLink, unit: int, wanted: Span, most: int) -> None:
    """Block by block; a block that is refused is tried in halves, down to single registers."""
    end = wanted.address + wanted.count
    for address in range(wanted.address, end, most):
        part = Span(wanted.table, address, min(most, end - address))
        try:
            await link.read(unit, part)
        except ModbusRefusedError:
            if part.count > 1:
                await _read(link, unit, part, (part.count + 1) // 2)
