"""The command as both sides agreed to write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from site_agent.devices.mqtt.payloads import CommandMessage

NOW = datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)


def test_a_command() -> None:
    command = CommandMessage(
        id="6f2c",
        ts=NOW,
        expires_at=NOW + timedelta(seconds=5),
        valid_for_s=30.0,
        power_w=-80_000.0,
    )
    assert command.model_dump_json() == (
        '{"id":"6f2c","ts":"2026-01-05T12:00:00.250000Z",'
        '"expires_at":"2026-01-05T12:00:05.250000Z","valid_for_s":30.0,"power_w":-80000.0}'
    )
