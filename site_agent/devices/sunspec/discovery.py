"""Where the models of a SunSpec device are: found by walking its list, never assumed.

SunSpec Device Information Model Specification: the marker "SunS", then models as
(id, length, length registers), closed by the id 0xFFFF. Real devices add: a base of 0 or 50000,
vendor models in between, a common model of 65 or 66 registers, an end marker without a length.
Addresses only ever grow, and both models and registers are bounded, so that a walk always ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from contracts.errors import ProtocolError
from site_agent.devices.modbus.replies import ModbusRefusedError

BASES = (40000, 0, 50000)
MARKER = (0x5375, 0x6E53)
END = 0xFFFF
MAX_MODELS = 100
MAX_REGISTERS = 16_384
"""Of all models together: several times what the largest devices have."""
_ADDRESSES = 0x10000

ReadRegisters = Callable[[int, int], Awaitable[Sequence[int]]]
"""`read(address, count)` for at most 125 registers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One model of a device: `address` of its header, `length` of what follows the header."""

    model_id: int
    address: int
    length: int


async def discover(read: ReadRegisters, bases: Sequence[int] = BASES) -> tuple[Place, ...]:
    """Every model of the device, in its order, known to us or not.

    Raises:
        ProtocolError: no marker at any base, or a list that does not end.
        TransientError: as `read` raises it.
    """
    for base in bases:
        if tuple(await _read_or_nothing(read, base, 2)) == MARKER:
            return tuple([place async for place in _walk(read, base + 2)])
    for base in bases:  # a manual counts from 1, and so does the device
        if tuple(await _read_or_nothing(read, base + 1, 2)) == MARKER:
            raise ProtocolError(f"its SunSpec marker is at {base + 1} instead of {base}")
    raise ProtocolError(f"no SunSpec marker at {', '.join(map(str, sorted(bases)))}")


async def more_follow(read: ReadRegisters, last: Place) -> bool:
    """Whether a model follows that was the last when the list was walked; raises as `read`."""
    head = await _read_or_nothing(read, last.address + 2 + last.length, 1)
    return bool(head) and head[0] != END


def find(places: Iterable[Place], model_ids: Iterable[int]) -> Place | None:
    """The first place of the first of `model_ids` that the device has."""
    places = tuple(places)
    for model_id in model_ids:
        for place in places:
            if place.model_id == model_id:
                return place
    return None


async def _walk(read: ReadRegisters, first: int) -> AsyncIterator[Place]:
    address = first
    for _ in range(MAX_MODELS):
        head = await _header(read, address)
        if head is None:
            return
        model_id, length = head
        if address + 2 + length > min(first + MAX_REGISTERS, _ADDRESSES - 1):
            raise ProtocolError(f"model {model_id} at {address}: {length} registers are too many")
        yield Place(model_id=model_id, address=address, length=length)
        address += 2 + length
    raise ProtocolError(f"more than {MAX_MODELS} SunSpec models")


async def _header(read: ReadRegisters, address: int) -> tuple[int, int] | None:
    """Id and length of the model at an address; None: the list has ended."""
    head = await _read_or_nothing(read, address, 2)
    if not head:  # an end marker may lack its length
        head = await _read_or_nothing(read, address, 1)
    if not head or head[0] == END:
        return None
    if len(head) < 2:  # noqa: PLR2004 - id and length
        raise ProtocolError(f"the list of SunSpec models breaks off at {address}")
    return head[0], head[1]


async def _read_or_nothing(read: ReadRegisters, address: int, count: int) -> Sequence[int]:
    """Registers the device does not have are nothing rather than an error."""
    try:
        return await read(address, count)
    except ModbusRefusedError:
        return ()
