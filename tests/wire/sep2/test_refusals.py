"""What the schema or the peer's dialect does not have is not written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.sep2.codec import Document, decode, encode
from contracts.sep2.dialect import CSIPAUS_V1_2, CSIPAUS_V1_3, PLAIN, Dialect
from contracts.sep2.resources import (
    DERControl,
    DERControlBase,
    Link,
    ModeValue,
    Resource,
    Scaled,
    StateOfChargeStatus,
)
from support.sep2_samples import (
    CAPABILITY,
    CONNECTION_POINT,
    CURVES,
    INVERTER,
    LOG_EVENT,
    STATUS,
    T0,
    TIME,
)
from support.sep2_samples_more import SHED, STARTED
from support.sep2_schema import faults


def _control(modes: Mapping[str, Any], *extension: bytes) -> DERControl:
    return replace(INVERTER, der_control_base=DERControlBase(modes=modes, extension=extension))


def _soc(value: int) -> StateOfChargeStatus:
    return StateOfChargeStatus(date_time=T0, value=value)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (replace(TIME, current_time=T0.replace(tzinfo=None)), "currentTime: naive"),
        (replace(TIME, current_time=T0.replace(year=9000)), "not a plausible instant"),
        (replace(TIME, quality=None), "quality: missing"),
        (replace(TIME, quality=256), "quality: 256 is outside"),
        (replace(TIME, quality=True), "quality: True is not a whole number"),
        (replace(TIME, href="/\x00"), "@href: not a text for XML"),
        (replace(CAPABILITY, rtg_max_w=Scaled(value=150_000)), "rtgMaxW: value 150000 is outside"),
        (replace(CAPABILITY, rtg_max_va=Scaled(value=-1)), "rtgMaxVA: value -1 is outside"),
        (replace(CAPABILITY, modes_supported=1 << 32), "modesSupported: .* does not fit"),
        (replace(CAPABILITY, rtg_max_w=None), "rtgMaxW: missing"),
        (replace(LOG_EVENT, details="x" * 33), "details: 33 characters, the limit is 32"),
        (replace(STARTED, subject="0x1F"), "subject: not hex"),
        (replace(STARTED, subject=""), "subject: not hex"),
        (replace(STARTED, end_device_lfdi="0" * 41), "endDeviceLFDI: not hex"),
        (replace(CURVES.items[0], curve_data=()), "CurveData: missing"),
        (replace(STATUS, state_of_charge_status=_soc(10_001)), "value: 10001 is outside"),
        (replace(SHED, override_duration=timedelta(days=1)), "overrideDuration: 86400 is outside"),
        (replace(SHED, override_duration=timedelta(-1)), "overrideDuration: -86400 is outside"),
        (_control({"opModImpLimW": 5000}), "opModImpLimW: 5000 is not a Scaled"),
        (_control({"opModConnect": 1}), "opModConnect: 1 is not a boolean"),
        (_control({"opModMaxLimW": 10_001}), "opModMaxLimW: 10001 is outside"),
        (_control({"opModVoltVar": Link(href="/c")}), "is not a CurveLink"),
        (_control({"opModTeleport": True}), "unknown mode 'opModTeleport'"),
        (_control({}, b"<broken"), "extension: not XML"),
        (_control({}, b"<!DOCTYPE x><x/>"), "extension: a DOCTYPE"),
    ],
)
def test_what_the_schema_cannot_carry_is_not_written(resource: Document, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode(resource, Dialect(csipaus=CSIPAUS_V1_2))


def test_a_dialect_refuses_what_its_peer_does_not_know() -> None:
    with pytest.raises(ValueError, match="opModImpLimW is CSIP-AUS, which the peer does not"):
        encode(_control({"opModImpLimW": Scaled.of(1.0)}), PLAIN)
    with pytest.raises(ValueError, match="ConnectionPoint is CSIP-AUS"):
        encode(CONNECTION_POINT, PLAIN)
    storage = _control({"opModStorageTargetW": Scaled.of(1.0)})
    with pytest.raises(ValueError, match=r"opModStorageTargetW is not in CSIP-AUS v1\.2"):
        encode(storage, Dialect(csipaus=CSIPAUS_V1_2))
    assert decode(encode(storage, Dialect(csipaus=CSIPAUS_V1_3))) == storage


def test_a_part_of_a_resource_is_no_document() -> None:
    with pytest.raises(ValueError, match="Resource is no document"):
        encode(Resource(href="/x"))


def test_modes_are_written_in_the_order_of_the_schema() -> None:
    modes: dict[str, ModeValue] = {
        "opModExpLimW": Scaled.of(1.0),
        "opModMaxLimW": 5000,
        "opModConnect": True,
        "opModImpLimW": Scaled.of(2.0),
    }
    dialect = Dialect(csipaus=CSIPAUS_V1_2)
    control = _control(modes)
    assert faults(encode(control, dialect), dialect) == []
