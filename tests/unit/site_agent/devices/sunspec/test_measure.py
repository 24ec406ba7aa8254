"""The sign of an inverter's power, and the operating states that gate it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.reading import Quality
from site_agent.devices.sunspec.measure import MEASUREMENT, faulted, power
from site_agent.devices.sunspec.unit import Read
from support.sunspec_image import model

AT = datetime(2026, 1, 5, tzinfo=UTC)
GOOD, ESTIMATED, INVALID = Quality.GOOD, Quality.ESTIMATED, Quality.INVALID
NONE = -32768


def read(model_id: int, **raw: float) -> Read:
    values = MEASUREMENT[model_id].decode(model(model_id, **raw))
    return Read(model_id=model_id, values=values)


@pytest.mark.row("trap:S2")
@pytest.mark.row("trap:S5")
@pytest.mark.parametrize(
    ("model_id", "raw", "value", "quality"),
    [
        pytest.param(103, {"W": 100, "W_SF": 1, "St": 4}, -1000.0, GOOD, id="generation"),
        pytest.param(103, {"W": -5, "W_SF": 0, "St": 8}, 5.0, GOOD, id="own consumption"),
        pytest.param(103, {"W": 0, "W_SF": 0, "St": 2}, 0.0, GOOD, id="asleep at a true zero"),
        pytest.param(103, {"W": -20, "W_SF": 0, "St": 2}, 20.0, GOOD, id="asleep, idling"),
        pytest.param(103, {"W": 900, "W_SF": 0, "St": 2}, None, INVALID, id="asleep, generating?"),
        pytest.param(103, {"W": NONE, "W_SF": 0, "St": 2}, 0.0, ESTIMATED, id="asleep, no number"),
        pytest.param(103, {"W": NONE, "W_SF": 0, "St": 4}, None, INVALID, id="on, no number"),
        pytest.param(103, {"W": 900, "St": 4}, None, INVALID, id="no scale factor"),
        pytest.param(113, {"W": 1000.0, "St": 4}, -1000.0, GOOD, id="float"),
        pytest.param(101, {"W": 900, "W_SF": 0}, -900.0, GOOD, id="no state"),
        pytest.param(
            701, {"W": -120, "W_SF": 3, "St": 1, "InvSt": 3}, 120_000.0, GOOD, id="absorbing"
        ),
        pytest.param(701, {"W": 90, "W_SF": 1, "St": 0}, None, INVALID, id="701 off, generating?"),
        pytest.param(
            701, {"W": NONE, "W_SF": 0, "St": 1, "InvSt": 1}, 0.0, ESTIMATED, id="701 asleep"
        ),
        pytest.param(701, {"W": 7, "W_SF": 1, "InvSt": 4}, -70.0, GOOD, id="701 throttled"),
    ],
)
def test_power(model_id: int, raw: dict[str, float], value: float | None, quality: Quality) -> None:
    reading = power(read(model_id, **raw), AT, idle_w=50.0)
    assert (reading.value, reading.quality, reading.at) == (value, quality, AT)


@pytest.mark.parametrize(
    ("model_id", "raw", "fault"),
    [
        (103, {"St": 7}, True),
        (103, {"St": 6}, False),
        (103, {}, False),
        (701, {"InvSt": 6}, True),
        (701, {"InvSt": 7}, False),
        (701, {}, False),
    ],
)
def test_faulted(model_id: int, raw: dict[str, float], fault: bool) -> None:
    assert faulted(read(model_id, **raw)) is fault
