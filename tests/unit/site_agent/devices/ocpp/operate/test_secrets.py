"""What of a frame may be shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.operate.secrets import (
    short_tag,
    shown,
    with_short_tags,
    without_passwords,
)

PASSWORD = "hunter2hunter2hunter"


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": PASSWORD},
        {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": PASSWORD}]},
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": PASSWORD,
                }
            ]
        },
    ],
)
def test_passwords_are_hidden(payload: object) -> None:
    frame = json.dumps([2, "m1", "Any", payload])
    hidden = without_passwords(frame)
    assert PASSWORD not in hidden
    assert json.loads(hidden)[:3] == [2, "m1", "Any"]
    assert PASSWORD not in without_passwords(frame[:-8]), "a frame that was cut off"


def test_a_password_cut_in_two_is_hidden() -> None:
    frame = json.dumps([2, "m1", "ChangeConfiguration", {"key": "AuthorizationKey"}])[:-2]
    assert "hunter" not in without_passwords(f'{frame}, "value": "hunter2')


@given(st.text())
def test_other_frames_are_untouched(text: str) -> None:
    if "AuthorizationKey" not in text and "BasicAuthPassword" not in text:
        assert without_passwords(text) == text


def test_tags_are_shortened_at_any_depth() -> None:
    payload = {"idTag": "TAG-12345678", "list": [{"idToken": {"idToken": "ABCDEF", "type": "x"}}]}
    assert with_short_tags(payload) == {
        "idTag": "TAG-…",
        "list": [{"idToken": {"idToken": "ABCD…", "type": "x"}}],
    }
    assert short_tag("ABC") == "ABC"


def test_settings_that_are_passwords_are_not_told() -> None:
    assert shown("SecurityCtrlr.BasicAuthPassword", PASSWORD) == "********"
    assert shown("AuthorizationKey", PASSWORD) == "********"
    assert shown("AuthorizationKey", None) is None
    assert shown("HeartbeatInterval", "60") == "60"
