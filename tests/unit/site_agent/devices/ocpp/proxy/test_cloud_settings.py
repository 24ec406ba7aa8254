"""A charger's cloud, from the settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from site_agent.config.devices import CloudSettings


def test_a_url_is_enough() -> None:
    cloud = CloudSettings(url="wss://ocpp.example/ocpp")
    assert (cloud.final_word, cloud.firmware, cloud.patience_s) == ("cloud", True, 3.0)


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(CloudSettings(url="ws://ocpp.example", password="s3cret-long"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://ocpp.example"},
        {"url": "wss://user:pw@ocpp.example"},
        {"url": "wss://ocpp.example/?a=b"},
        {"url": "ws://ocpp.example", "ca": "root.pem"},
        {"url": "wss://ocpp.example", "cert": "own.pem"},
        {"url": "wss://ocpp.example", "identity": "a/b"},
        {"url": "wss://ocpp.example", "patience_s": 0},
        {"url": "wss://ocpp.example", "final_word": "nobody"},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CloudSettings(**wrong)
