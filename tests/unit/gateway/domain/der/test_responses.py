from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.der.control import ResponseRequired
from gateway.domain.der.responses import CSIP, CSIP_AUS, ResponseCode, wanted
from support.der import control

BOTH = ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC
RECEIPT = {
    ResponseCode.RECEIVED,
    ResponseCode.NOT_APPLICABLE,
    ResponseCode.INVALID,
    ResponseCode.EXPIRED,
}


@pytest.mark.row("sep2:30")
@pytest.mark.parametrize(
    ("bits", "codes"),
    [
        (ResponseRequired.NONE, set()),
        (ResponseRequired.RECEIVED, RECEIPT),
        (ResponseRequired.SPECIFIC, set(ResponseCode) - {ResponseCode.RECEIVED}),
        (ResponseRequired.USER, {ResponseCode.OPT_OUT, ResponseCode.OPT_IN}),
        (BOTH, set(ResponseCode)),
    ],
)
def test_the_bits_say_which_codes_are_wanted(
    bits: ResponseRequired, codes: set[ResponseCode]
) -> None:
    asked = control(answers=bits)
    assert {code for code in ResponseCode if wanted(asked, code)} == codes


def test_without_an_address_nothing_is_wanted() -> None:
    asked = control(answers=BOTH, reply_to=None)
    assert not any(wanted(asked, code) for code in ResponseCode)


@pytest.mark.row("sep2:31", "sep2:32")
def test_a_profile_maps_or_withholds() -> None:
    assert all(CSIP.spoken(code) is code for code in ResponseCode)
    assert CSIP_AUS.spoken(ResponseCode.ABORTED_FOR_PROGRAM) is ResponseCode.SUPERSEDED
    assert CSIP_AUS.spoken(ResponseCode.COMPLETED) is ResponseCode.COMPLETED
    assert CSIP_AUS.spoken(ResponseCode.PARTIAL_OPT_OUT) is None
    nothing = replace(CSIP, codes=frozenset())
    assert not any(nothing.spoken(code) for code in ResponseCode)
    assert sorted(CSIP_AUS.codes) == [1, 2, 3, 6, 7]
