"""Topics: what a map may name, what a name may be, and which messages answer a filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from site_agent.devices.mqtt.topics import check, fill, matches, overlap


@pytest.mark.parametrize(
    "good",
    ["a", "depot/{site}/{device}/state", "N/{portal}/grid/30/Ac/L1/Power", "tele/my meter/x"],
)
def test_a_topic(good: str) -> None:
    assert check(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "#",
        "a/#",
        "a/+",
        "a+/b",
        "$SYS/x",
        "a/{B}",
        "a/{b",
        "a/b>",
        "ä/b",
        "a\n/b",
        "/".join("a" * 17),
        "a" * 257,
    ],
)
def test_what_no_map_may_name(bad: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        check(bad)


def test_one_wildcard_of_one_level() -> None:
    assert check("N/{portal}/vebus/+/Soc", wildcard=True)
    for bad in ("+/+/x", "a/#", "+x/a"):
        with pytest.raises(ValueError, match="topic"):
            check(bad, wildcard=True)


@pytest.mark.row("trap:Q5")
@pytest.mark.parametrize(
    "name",
    ["", "+", "#", "a/b", "../x", "$x", "a\x00b", "{site}", "a" * 65, " a", "a ", "a\n", ">"],
)
def test_a_name_is_never_more_than_itself(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be part"):
        fill("depot/{site}/{device}/cmd", {"site": "d1", "device": name})


def test_a_missing_name_is_told() -> None:
    with pytest.raises(ConfigError, match="portal"):
        fill("N/{portal}/x", {"site": "d1"})


@given(st.text(max_size=70))
def test_any_name_is_refused_or_stays_within_its_level(name: str) -> None:
    try:
        topic = fill("a/{device}/b", {"device": name})
    except ConfigError:
        return
    assert topic == f"a/{name}/b"
    assert topic.count("/") == 2
    assert not set("+#") & set(topic)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+/c", "a/b/+", True),
        ("a/b", "a/c", False),
        ("a/+", "a/b/c", False),
    ],
)
def test_overlap(one: str, other: str, same: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is same


def test_a_filter_is_answered_level_by_level() -> None:
    assert matches("a/+/c", "a/b/c")
    assert not matches("a/+/c", "a/b/d")
    assert not matches("a/+", "a/b/c")
