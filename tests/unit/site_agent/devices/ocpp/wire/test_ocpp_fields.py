"""Values of a payload nobody has checked yet."""

from __future__ import annotations

from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, Fault.MISSING),
        (True, Fault.TYPE),
        ("1", Fault.TYPE),
        (float("inf"), Fault.VALUE),
        (10**400, Fault.VALUE),
        (-(10**400), Fault.VALUE),
    ],
)
def test_what_is_no_number_of_a_believable_size_is_refused(value: Any, fault: Fault) -> None:
    with pytest.raises(CallFaultError) as told:
        fields.number({"limit": value}, "limit")
    assert told.value.fault is fault


@given(st.integers() | st.integers(min_value=10**300) | st.floats(allow_nan=False))
def test_every_other_number_is_finite(value: float) -> None:
    try:
        assert isfinite(fields.number({"limit": value}, "limit"))
    except CallFaultError:
        assert abs(value) > 2**53
