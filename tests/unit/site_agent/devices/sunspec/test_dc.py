"""The battery's own power behind a hybrid inverter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.reading import Quality
from site_agent.devices.sunspec.dc import dc_power
from site_agent.devices.sunspec.unit import SunSpecUnit
from support.image_link import ImageLink
from support.sunspec_image import common, image, model

AT = datetime(2026, 1, 5, tzinfo=UTC)
PV, ESS = 0, 1
NONE = 0x8000


def ports(*typed: tuple[int, int], scale: int = 1) -> list[int]:
    """Model 714 with ports of a type and a DC power each."""
    head = model(714, NPrt=1, DCW_SF=scale)[2:20]
    head[2] = len(typed)
    body = [one for kind, watts in typed for one in _port(kind, watts)]
    return [714, 18 + len(body), *head, *body]


def _port(kind: int, watts: int) -> list[int]:
    return [kind, 1, *([0] * 8), NONE, 0xFFFF, watts & 0xFFFF, *([0] * 8), NONE, 1, 0, 0]


def modules(*named: tuple[str, int]) -> list[int]:
    """Model 160 with modules of a name and a DC power each."""
    head = [0xFFFF, 0xFFFF, 0, 0xFFFF, 0, 0, len(named), 0]
    body: list[int] = []
    for name, watts in named:
        text = name.encode().ljust(16, b"\0")
        words = [int.from_bytes(text[at : at + 2], "big") for at in range(0, 16, 2)]
        body += [1, *words, 0xFFFF, 0xFFFF, watts, 0, 0, 0, 0, NONE, 0xFFFF, 0, 0]
    return [160, 8 + len(body), *head, *body]


@pytest.mark.row("trap:S2")
@pytest.mark.parametrize(
    ("models", "power_w"),
    [
        pytest.param([ports((PV, 700), (ESS, -300))], 3000.0, id="a port, charging"),
        pytest.param([ports((ESS, 100), (ESS, 150))], -2500.0, id="two ports, discharging"),
        pytest.param([ports((PV, 700)), model(802, W=40, W_SF=2)], -4000.0, id="the bank"),
        pytest.param(
            [modules(("MPPT 1", 900), ("StCha 3", 250), ("StDisCha 4", 0))], 250.0, id="into"
        ),
        pytest.param(
            [modules(("MPPT 1", 900), ("StCha 3", 0), ("StDisCha 4", 120))], -120.0, id="out of"
        ),
        pytest.param([ports((ESS, NONE))], None, id="a port that does not say"),
        pytest.param([ports((ESS, 100), scale=-32768)], None, id="no scale factor"),
        pytest.param([modules(("StCha 3", 0xFFFF), ("StDisCha 4", 5))], None, id="half a sum"),
        pytest.param([ports((PV, 700))], None, id="no port for storage"),
        pytest.param([], None, id="nothing"),
    ],
)
async def test_power(models: list[list[int]], power_w: float | None) -> None:
    unit = SunSpecUnit(ImageLink(image(common(), *models)), 1)
    reading = await dc_power(unit, AT)
    assert reading.value == power_w
    assert reading.quality is (Quality.INVALID if power_w is None else Quality.GOOD)


@pytest.mark.parametrize("claimed", [5, 0xFFFE])
async def test_ports_that_are_claimed_but_not_there(claimed: int) -> None:
    words = ports((ESS, 100))
    words[4] = claimed
    reading = await dc_power(SunSpecUnit(ImageLink(image(common(), words)), 1), AT)
    assert reading.value == -1000.0
