"""What a device on MQTT says and understands, apart from how it is connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Facts = Mapping[str, float | None]
"""What is true of a device now, by the names its words know; None: nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something published, with QoS 1."""

    topic: str
    payload: str
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command: `value` (None ends what was ordered) for `valid_for_s`, W."""

    value: float | None
    valid_for_s: float
    id: str = ""
    """Of the command, where it has one; the same one again changes nothing."""
    expires_at: datetime | None = None


class Words(Protocol):
    """A dialect, with what it must remember to speak it."""

    @property
    def will(self) -> Message | None:
        """What the broker says when the device vanishes."""
        ...

    @property
    def wants(self) -> Sequence[str]:
        """Topics it listens to."""
        ...

    def births(self) -> Sequence[Message]:
        """Said once connected."""
        ...

    def says(self, facts: Facts, now: datetime) -> Sequence[Message]:
        """What it has to say by itself now."""
        ...

    def order(self, topic: str, payload: bytes) -> Order | None:
        """The command in a message; None: it is none.

        Raises:
            ProtocolError: it is nothing the device understands.
        """
        ...

    def answers(
        self, topic: str, payload: bytes, facts: Facts, now: datetime, refusal: str
    ) -> Sequence[Message]:
        """The reply to a message; `refusal` says why its command was not taken, "" if it was."""
        ...
