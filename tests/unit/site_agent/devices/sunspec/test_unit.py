"""One device behind a link: searched, believed only where its headers are, and hostile at times."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import GridyardError, ProtocolError, TransientError
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.codec import CapabilityMissingError, ModelCodec
from site_agent.devices.sunspec.describe import decode_all
from site_agent.devices.sunspec.measure import MEASUREMENT, power
from site_agent.devices.sunspec.unit import Codecs, SunSpecUnit
from support.image_link import ImageLink
from support.sunspec_image import address_of, common, image, model, vendor

AT = datetime(2026, 1, 5, tzinfo=UTC)
STORAGE: Codecs = {713: ModelCodec(713, ("SoC",))}
POWER: Codecs = {704: ModelCodec(704, ("WSet",))}
MODELS = (1, 103, 121, 123, 124, 160, 203, 213, 701, 704, 705, 707, 711, 713, 714, 715, 802, 803)


def ports(count: int) -> list[int]:
    """Model 714 with so many ports of 25 registers; at night there are none."""
    head = model(714, NPrt=1, DCW=5, DCW_SF=0)[2:20]
    head[2] = count
    return [714, 18 + count * 25, *head, *([0] * count * 25)]


def day() -> dict[int, int]:
    return image(common(), ports(2), model(713, SoC=60, Pct_SF=0))


def night() -> dict[int, int]:
    return image(common(), ports(0), model(713, SoC=59, Pct_SF=0))


async def soc(unit: SunSpecUnit) -> float | None:
    return (await unit.read(STORAGE, Priority.SLOW)).values["SoC"]


@pytest.mark.row("trap:S4")
async def test_a_model_that_shrinks_at_night_moves_all_behind_it() -> None:
    link = ImageLink(day())
    unit = SunSpecUnit(link, 1)
    assert await soc(unit) == 60.0
    link.registers = night()
    with pytest.raises(ProtocolError):
        await soc(unit)
    assert await soc(unit) == 59.0
    link.registers = day()
    with pytest.raises(ProtocolError):
        await soc(unit)
    assert await soc(unit) == 60.0


@pytest.mark.row("trap:S4")
async def test_a_model_whose_registers_are_refused_is_missing_and_searched_anew() -> None:
    link = ImageLink(day())
    unit = SunSpecUnit(link, 1)
    assert await soc(unit) == 60.0
    link.registers = image(common())
    with pytest.raises(ProtocolError, match="has gone"):
        await soc(unit)
    with pytest.raises(CapabilityMissingError):
        await soc(unit)
    link.registers = day()
    assert await soc(unit) == 60.0, "what was missing is looked for each time"


@pytest.mark.row("trap:S4")
async def test_models_that_come_late_are_found() -> None:
    """As an inverter whose battery wakes up after it."""
    late = image(common(), model(713, SoC=60, Pct_SF=0), model(704, WSet=0, WSet_SF=0))
    for end in ([0xFFFF, 0], []):
        link = ImageLink(image(common(), model(713, SoC=60, Pct_SF=0), end=end))
        unit = SunSpecUnit(link, 1)
        for _ in range(250):
            await soc(unit)
        assert not await unit.has(POWER)
        assert len(link.reads) < 270, "it looks, but does not search without need"
        link.registers = late
        while not await unit.has(POWER):
            await soc(unit)


@pytest.mark.row("trap:S4")
async def test_the_length_of_the_device_counts_not_that_of_the_definition() -> None:
    short = [713, 3, 500, 400, 55]  # SoC is its last register: no scale factor
    longer = [*model(713, SoC=55, Pct_SF=0), 1, 2, 3]
    longer[1] += 3
    for words, expected in ((short, None), (longer, 55.0)):
        link = ImageLink(image(common(), words, model(103, W=7, W_SF=0, St=4)))
        unit = SunSpecUnit(link, 1)
        assert await soc(unit) == expected
        assert (await unit.read(MEASUREMENT, Priority.FAST)).values["W"] == 7.0
    assert all(count <= 125 for _, count in link.reads)


async def test_nothing_is_written_where_a_model_was() -> None:
    link = ImageLink(image(common(), vendor(length=20), model(704, WSet=0, WSet_SF=0)))
    unit = SunSpecUnit(link, 1)
    await unit.change(POWER, lambda before: {"WSet": 5.0})
    assert len(link.writes) == 1
    link.registers = image(common(), vendor(length=3), model(704, WSet=0, WSet_SF=0), [0] * 40)
    with pytest.raises(ProtocolError):
        await unit.change(POWER, lambda before: {"WSet": 6.0})
    assert len(link.writes) == 1


@pytest.mark.row("trap:S10")
@pytest.mark.parametrize("base", [0, 50000])
async def test_a_device_that_is_silent_where_it_has_nothing_is_found_all_the_same(
    base: int,
) -> None:
    registers = image(common(), model(713, SoC=60, Pct_SF=0), base=base)
    unit = SunSpecUnit(ImageLink(registers, lambda address: address not in registers), 1)
    for _ in range((40000, 0, 50000).index(base)):
        with pytest.raises(TransientError):
            await soc(unit)
    assert await soc(unit) == 60.0


async def test_a_whole_device_in_words() -> None:
    link = ImageLink(image(common(65), model(103, W=100, W_SF=1, St=4), vendor()))
    models = await decode_all(SunSpecUnit(link, 1))
    assert [(one.model_id, one.address) for one in models] == [
        (1, 40002),
        (103, 40069),
        (64999, 40121),
    ]
    named = {point.name: point for point in models[1].points}
    assert (named["W"].value, named["W"].unit, named["St"].symbols) == (1000, "W", ("MPPT",))
    assert models[2].notes == ("no definition of this model is published",)


@pytest.mark.row("trap:S5")
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param({"W": 10_145, "St": 4, "Hz": 49_944, "PhVphA": 2315}, -1014.5, id="by day"),
        pytest.param({"W": 0, "St": 2, "Hz": 0, "PhVphA": 0, "PF": 1000}, 0.0, id="asleep"),
        pytest.param({"W": 10_145, "St": 2, "Hz": 0, "PhVphA": 0}, None, id="asleep, a leftover"),
    ],
)
async def test_an_inverter_whose_registers_are_never_empty(
    shown: dict[str, int], expected: float | None
) -> None:
    """As a KACO: at night 0 V and 0 Hz instead of sentinels, and controls that mean nothing."""
    scales = {"W_SF": -1, "Hz_SF": -3, "V_SF": -1, "PF_SF": -1}
    link = ImageLink(
        image(
            common(),
            model(103, **(scales | shown)),
            model(113, W=float(shown["W"]) / 10, St=shown["St"]),
            model(120, PFRtgQ1=-14_656, PFRtg_SF=-3),
            model(122, ECPConn=0),
            vendor(64204, 8),
        )
    )
    unit = SunSpecUnit(link, 1)
    reading = power(await unit.read(MEASUREMENT, Priority.FAST), AT, idle_w=430.0)
    assert reading.value == expected
    found = {one.model_id: {p.name: p for p in one.points} for one in await decode_all(unit)}
    assert found[103]["Hz"].value == shown["Hz"] / 1000
    assert found[120]["PFRtgQ1"].value == -14.656


async def test_a_model_that_cannot_be_read_carries_the_reason() -> None:
    whole = image(common(), model(103, W=100, W_SF=1), model(713, SoC=60, Pct_SF=0))
    del whole[address_of(whole, 103) + 20]
    models = await decode_all(SunSpecUnit(ImageLink(whole), 1))
    assert [one.model_id for one in models] == [1, 103, 713]
    assert models[1].points == ()
    assert models[1].notes[0].startswith("cannot be read: ")
    assert models[2].points


@settings(max_examples=100)
@given(
    ids=st.lists(st.sampled_from((*MODELS, 64999)), max_size=6),
    words=st.lists(st.integers(0, 0xFFFF), max_size=400),
    lengths=st.lists(st.integers(0, 300), max_size=6),
    base=st.sampled_from([0, 40000, 50000]),
    cut=st.integers(0, 400),
)
async def test_hostile_devices_give_a_clear_error_or_decode(
    ids: list[int], words: list[int], lengths: list[int], base: int, cut: int
) -> None:
    content = iter(words)
    parts = [
        [one, length, *(next(content, 0xFFFF) for _ in range(length))]
        for one, length in zip(ids, lengths, strict=False)
    ]
    registers = image(*parts, base=base)
    for at in sorted(registers)[cut:]:
        del registers[at]
    link = ImageLink(registers)
    unit = SunSpecUnit(link, 1)
    for codecs in (MEASUREMENT, STORAGE, POWER):
        with suppress(GridyardError):
            values = (await unit.read(codecs, Priority.SLOW)).values
            assert all(one is None or abs(one) < float("inf") for one in values.values())
    try:
        await unit.change(POWER, lambda before: {"WSet": 1000.0})
    except GridyardError:
        assert link.writes == [], "refused before anything was written"
    with suppress(GridyardError):
        await decode_all(unit)
    assert len(link.reads) < 300
