"""YAML from strangers: refused with a clear word, and nothing ever crashes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from site_agent.devices.profiles.document import MAX_BYTES, read
from site_agent.devices.profiles.schema import Profile
from support.profile_text import BATTERY, CHARGER, METER

LAUGHS = "a: &a [x, x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

ONE = "transport: {max_block: 1}\n"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, Profile, name="x.yaml")
    return str(caught.value)


@pytest.mark.parametrize("text", [METER, BATTERY, CHARGER])
def test_what_is_right_is_read(text: str) -> None:
    assert read(text, Profile, name="x.yaml").points["active_power"].address in (0, 1)


@pytest.mark.row("trap:P4")
@pytest.mark.parametrize(
    ("text", "word"),
    [
        (METER + "colour: red\n", "x.yaml:10: colour"),
        (METER.replace("type: int32", "type: int32, scael: 2"), "points.active_power.scael"),
        (METER.replace("address: 0", "address: '0'"), "no quotes"),
        (METER + "checks: [{sum: [a, b], equals: c, tolerance: -2e6}]", "write -2e6 as -2.0e+6"),
        (METER.replace("type: int32", "type: int32, scale: .nan"), "neither text nor number"),
        (METER + "notes: [2020-01-01]\n", "neither text nor number"),
        (METER.replace("profile: 1", "profile: 2"), "x.yaml:1: profile"),
        (METER + "name: again\n", "name: stands there twice"),
        (METER.replace("address: 0", "address: 70000"), "points.active_power.address"),
        (METER.replace("address: 0", "address: 65535"), "beyond 65535"),
        (METER.replace("active_power", "activ_power"), "no such point: activ_power"),
        (METER.replace("type: int32", "type: int32, unit: A"), "A does not fit"),
        (METER.replace("type: int32", "type: int32, group: slow"), "no such group: slow"),
        (BATTERY.replace("soc", "soh"), "needs the point soc"),
        (BATTERY.replace('lapse: {seconds: 30, to: "0 W"}', ""), "what becomes of setpoints"),
        (BATTERY.replace("power:\n    write", "heat:\n    write"), "has no control heat"),
        (METER.replace("Acme meter", "on"), "use quotes"),
        (METER + "lapse: none\n", "belong to controls"),
        (METER + "checks: [{sum: [soc, soh], equals: active_power, tolerance: 1}]", "point soc"),
        (METER.replace("type: int32", "type: int32, range: [5, -5]"), "from low to high"),
        (BATTERY.replace("put: value", "put: value, range: [1, 0]"), "from low to high"),
        (CHARGER.replace("[0, 6]", "[6, 0]"), "at_rest goes from low to high"),
        (BATTERY.replace("put: value", "put: percent"), "percent needs base"),
        (BATTERY.replace("    release", "    base: 0.0\n    release"), "base must be above 0"),
        (METER + ONE + "match: {address: 9, type: uint32, among: [7]}\n", "match: a uint32"),
        (BATTERY.replace("type: int32}", "type: int16}") + ONE, "power: a int32 does not fit"),
        (
            METER.replace("int32", "int16, plus: [{address: 1, type: int32}]") + ONE,
            "active_power: a int32 does not fit",
        ),
    ],
)
def test_mistakes_are_named(text: str, word: str) -> None:
    assert word in refusal(text)


@pytest.mark.row("trap:P4")
@pytest.mark.parametrize(
    ("text", "word"),
    [
        (LAUGHS, "aliases"),
        ("a: &x 1\n", "anchors"),
        ("a: !!python/object/apply:os.system [echo]\n", "tags"),
        ("a: !!binary aGk=\n", "tags"),
        ("[" * 10_000, "deeper"),
        ("a: " + "{b: " * 5000 + "}" * 5000, "deeper"),
        ("- 1\n" * 7000, "more than"),
        ("x" * (MAX_BYTES + 1), "larger"),
        ("a: [1, 2", "not YAML"),
        ("\x00", "not YAML"),
        ("? [1, 2]\n: 3\n", "a key must be a word"),
        ("a: 2020-99-99\n", "not YAML"),
        ("", "x.yaml:1"),
        ("- 1\n- 2\n", "x.yaml:1"),
        ("42", "x.yaml:1"),
    ],
)
def test_hostile_documents_are_refused(text: str, word: str) -> None:
    assert word in refusal(text)


@given(st.text(max_size=400))
def test_no_text_crashes_it(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text, Profile, name="x.yaml")


@given(
    st.text("abc[]{}:,-&*!|>'\"#?%@` \n\t0123.eE+", max_size=300),
    st.integers(min_value=0, max_value=len(METER)),
)
def test_no_text_within_a_profile_crashes_it(text: str, at: int) -> None:
    with suppress(ConfigError):
        assert read(METER[:at] + text + METER[at:], Profile, name="x.yaml").nature == "meter"
