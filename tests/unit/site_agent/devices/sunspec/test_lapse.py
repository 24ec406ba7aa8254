"""A lapse counts only as far as the device has shown it."""

from __future__ import annotations

import pytest

from site_agent.devices.sunspec.lapse import proven_lapse
from site_agent.domain.device import Lapse


@pytest.mark.parametrize(
    ("configured", "timer_s", "remaining_s", "expected"),
    [
        pytest.param(Lapse.UNKNOWN, 30, None, Lapse.DEVICE, id="kept"),
        pytest.param(Lapse.UNKNOWN, 30, 30, Lapse.DEVICE, id="kept and armed"),
        pytest.param(Lapse.UNKNOWN, 29, 29, Lapse.DEVICE, id="counts down in place"),
        pytest.param(Lapse.UNKNOWN, 39, None, Lapse.DEVICE, id="within the slack"),
        pytest.param(Lapse.UNKNOWN, 300, None, Lapse.UNKNOWN, id="keeps its own 300 s"),
        pytest.param(Lapse.UNKNOWN, 30, 12, Lapse.UNKNOWN, id="not re-armed by writing"),
        pytest.param(Lapse.DEVICE, 0, None, Lapse.NONE, id="a timer of 0 never ends"),
        pytest.param(Lapse.DEVICE, None, None, Lapse.NONE, id="no timer"),
        pytest.param(Lapse.NONE, 30, 30, Lapse.NONE, id="the operator knows better"),
    ],
)
def test_lapse(
    configured: Lapse, timer_s: float | None, remaining_s: float | None, expected: Lapse
) -> None:
    assert proven_lapse(configured, 30.0, timer_s, remaining_s) is expected
