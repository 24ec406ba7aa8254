"""Payloads of commands."""

from __future__ import annotations

import pytest

from site_agent.devices.mqtt.templates import check_template, render, variables

VALUES: dict[str, float | int | str] = {"value": -1500, "id": "x1", "valid_for_s": 30.0}


def test_text_stays_text_and_the_rest_becomes_json() -> None:
    assert render("$value", VALUES) == "-1500"
    assert render("on", VALUES) == "on"
    assert render("", VALUES) == ""
    assert render({"value": "$value"}, VALUES) == '{"value":-1500}'
    assert render(["$id", {"a": [1, None, True, "$valid_for_s"]}], VALUES) == (
        '["x1",{"a":[1,null,true,30.0]}]'
    )


def test_a_value_is_never_read_as_a_template() -> None:
    assert render({"id": "$id"}, {"id": '"$value"'}) == '{"id":"\\"$value\\""}'


def test_variables() -> None:
    assert variables({"a": ["$id", "x"], "b": "$value"}) == {"id", "value"}


def deep(levels: int) -> object:
    part: object = "x"
    for _ in range(levels):
        part = [part]
    return part


@pytest.mark.parametrize(
    "bad", ["$", "$$value", "cost: $5", {"a": "$nothing"}, ["x"] * 51, deep(9), {1: "x"}, {2.5}]
)
def test_what_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"variables|payload|JSON"):
        check_template(bad)
