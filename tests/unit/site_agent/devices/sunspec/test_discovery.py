"""Discovery walks whatever list a device really has, and never for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import LinkDownError, ProtocolError
from site_agent.devices.modbus.replies import ModbusRefusedError
from site_agent.devices.sunspec.discovery import (
    MAX_MODELS,
    MAX_REGISTERS,
    Place,
    ReadRegisters,
    discover,
    find,
)
from support.sunspec_image import common, image, model, vendor

INVERTER = model(103, W=100, W_SF=0)


def reader(registers: Mapping[int, int]) -> ReadRegisters:
    """As a device that refuses every address it does not have."""

    async def read(address: int, count: int) -> Sequence[int]:
        assert count <= 125
        try:
            return [registers[a] for a in range(address, address + count)]
        except KeyError as error:
            raise ModbusRefusedError(2, f"{address}") from error

    return read


@pytest.mark.row("trap:S10")
@pytest.mark.parametrize("base", [40000, 0, 50000])
async def test_bases(base: int) -> None:
    places = await discover(reader(image(common(), INVERTER, base=base)))
    assert places == (
        Place(model_id=1, address=base + 2, length=66),
        Place(model_id=103, address=base + 70, length=50),
    )


@pytest.mark.row("trap:S10")
@pytest.mark.parametrize(
    ("registers", "ids", "address"),
    [
        pytest.param(image(common(65), INVERTER), [1, 103], 40069, id="common model of 65"),
        pytest.param(
            image(common(), vendor(), INVERTER), [1, 64999, 103], 40079, id="vendor model between"
        ),
        pytest.param(
            image(common(), INVERTER, end=[0xFFFF]), [1, 103], 40070, id="end without a length"
        ),
        pytest.param(image(common(), INVERTER, end=[]), [1, 103], 40070, id="no end marker"),
        pytest.param(
            image(common(), vendor(length=0), INVERTER), [1, 64999, 103], 40072, id="empty model"
        ),
    ],
)
async def test_lists(registers: dict[int, int], ids: list[int], address: int) -> None:
    places = await discover(reader(registers))
    assert [place.model_id for place in places] == ids
    assert find(places, [103]) == Place(model_id=103, address=address, length=50)


@pytest.mark.row("trap:S10")
@pytest.mark.parametrize(
    "registers",
    [
        pytest.param({}, id="no registers"),
        pytest.param({40000: 0x5375, 40001: 0}, id="half a marker"),
        pytest.param(dict.fromkeys(range(65536), 0), id="zeros"),
        pytest.param(image(*[vendor(length=1)] * (MAX_MODELS + 1)), id="too many models"),
        pytest.param(image(vendor(length=1), [64999, 25500]), id="beyond the address space"),
        pytest.param(image([64999, 0xFFFF], base=0), id="the longest length there is"),
        pytest.param(image(vendor(length=9000), vendor(length=9000)), id="too many registers"),
        pytest.param(image(common(), [103], end=[]), id="a model without a length"),
        pytest.param(dict.fromkeys(range(65536), 0xFFFF), id="all ones"),
    ],
)
async def test_what_is_not_a_sunspec_device(registers: dict[int, int]) -> None:
    with pytest.raises(ProtocolError):
        await discover(reader(registers))


async def test_a_map_that_begins_one_register_late_is_named() -> None:
    with pytest.raises(ProtocolError, match="at 40001 instead of 40000"):
        await discover(reader(image(common(), INVERTER, base=40001)))


@pytest.mark.row("trap:S10")
@given(st.lists(st.integers(0, 0xFFFF), max_size=300), st.sampled_from([0, 40000, 65000]))
async def test_no_list_is_walked_for_ever(words: list[int], base: int) -> None:
    reads = 0

    async def counted(address: int, count: int) -> Sequence[int]:
        nonlocal reads
        reads += 1
        return await reader(dict(enumerate([0x5375, 0x6E53, *words], base)))(address, count)

    try:
        places = await discover(counted, (base,))
    except ProtocolError:
        places = ()
    assert reads <= 2 + 2 * (MAX_MODELS + 1)
    assert sum(place.length + 2 for place in places) <= MAX_REGISTERS


async def test_a_lost_link_is_not_the_end_of_the_list() -> None:
    registers = image(common(), INVERTER)

    async def read(address: int, count: int) -> Sequence[int]:
        if address > 40002:
            raise LinkDownError("gone")
        return await reader(registers)(address, count)

    with pytest.raises(LinkDownError):
        await discover(read)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [([701, 103], 103), ([103, 701], 103), ([704, 123], 704), ([802], None)],
)
def test_the_preferred_model_wins(wanted: list[int], found: int | None) -> None:
    places = [
        Place(model_id=model_id, address=address, length=1)
        for address, model_id in enumerate((1, 123, 103, 704, 103))
    ]
    place = find(places, wanted)
    assert (place and place.model_id) == found
    if found == 103:
        assert place is places[2], "the first of several"
