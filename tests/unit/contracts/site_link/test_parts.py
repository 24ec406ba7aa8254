"""Parts of an offer came later: agents and gateways of before go on as they were."""

import json
from datetime import UTC, datetime

import pytest

from contracts.errors import ProtocolError
from contracts.site_link.codec import decode_row, encode_row
from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from contracts.site_link.parts import MAX_OFFERED_PARTS, OfferedPart

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def offer(*parts: OfferedPart) -> FlexibilityOffer:
    slot = OfferedSlot(
        start=AT,
        expected_w=9.0,
        down_w=5.0,
        down_sure_w=4.0,
        lasts_s=3600.0,
        up_w=0.0,
        rebound_w=0.0,
        rebound_wh=0.0,
        parts=parts,
    )
    return FlexibilityOffer(
        at=AT, step_s=900.0, notice_s=5.0, ramp_w_per_min=1.0, data_age_s=0.0, slots=(slot,)
    )


def test_an_agent_of_before_tells_no_parts() -> None:
    said = json.loads(encode_row(offer()))
    for slot in said["slots"]:
        del slot["parts"]
    assert decode_row(1, json.dumps(said).encode()).row == offer()


def test_a_class_nobody_knows_yet_travels_and_says_nothing_else() -> None:
    row = offer(OfferedPart(device_class="heat-pump", down_w=5.0, down_sure_w=4.0))
    assert decode_row(1, encode_row(row)).row == row


def test_more_parts_than_there_can_be_are_refused() -> None:
    many = (OfferedPart(device_class="evse") for _ in range(MAX_OFFERED_PARTS + 1))
    with pytest.raises(ProtocolError):
        decode_row(1, encode_row(offer(*many)))
