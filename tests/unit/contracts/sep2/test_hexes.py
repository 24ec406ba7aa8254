from hypothesis import given
from hypothesis import strategies as st

from contracts.sep2.hexes import canonical_lfdi, canonical_mrid, same_hex
from contracts.sep2.resources import DERProgram, EndDevice, FunctionSetAssignments


def test_the_same_value_is_the_same_identifier() -> None:
    assert same_hex("0000000A", "0a")
    assert same_hex("0", "0000")
    assert not same_hex("0A", "A0")


@given(st.integers(0, 2**128 - 1), st.integers(0, 8), st.booleans())
def test_a_key_does_not_depend_on_how_it_was_sent(value: int, zeros: int, upper: bool) -> None:
    text = f"{value:X}" if upper else f"{value:x}"
    sent = ("0" * zeros + text)[-32:].rjust(len(text), "0")
    assert canonical_mrid(sent) == f"{value:032X}"
    assert same_hex(sent, f"{value:032X}")


def test_keys_have_their_full_width() -> None:
    assert canonical_mrid("0") == "0" * 32
    assert canonical_lfdi("0f") == "0" * 38 + "0F"


def test_resources_offer_the_key() -> None:
    assert DERProgram(mrid="9f1c", primacy=1).canonical_mrid == canonical_mrid("9F1C")
    assert FunctionSetAssignments(mrid="9f1c").canonical_mrid == canonical_mrid("9F1C")
    assert EndDevice(lfdi="ab").canonical_lfdi == canonical_lfdi("AB")
    assert DERProgram(primacy=1).canonical_mrid == ""
    assert FunctionSetAssignments().canonical_mrid == ""
    assert EndDevice().canonical_lfdi == ""
