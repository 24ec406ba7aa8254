"""The command as both sides agreed to write it."""

from __future__ import annotations

from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.templates import render

VALUES: dict[str, float | int | str] = {
    "id": "6f2c",
    "now": "2026-01-05T12:00:00.250000+00:00",
    "expires_at": "2026-01-05T12:00:05.250000+00:00",
    "valid_for_s": 30.0,
    "value": -80_000,
}


def test_a_command() -> None:
    payload = load_map("gridyard.battery").controls["power"].payload
    assert render(payload, VALUES) == (
        '{"id":"6f2c","ts":"2026-01-05T12:00:00.250000+00:00",'
        '"expires_at":"2026-01-05T12:00:05.250000+00:00","valid_for_s":30.0,"power_w":-80000}'
    )


def test_a_victron_setpoint() -> None:
    payload = load_map("victron.gx-battery").controls["power"].payload
    assert render(payload, VALUES) == '{"value":-80000}'


def test_a_limit_is_ended_by_null() -> None:
    release = load_map("gridyard.pv").controls["power_limit"].release
    assert render(release, VALUES).endswith('"limit_w":null}')
