"""Our own JSON: `payloads` describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from depot_sim.mqtt import payloads
from depot_sim.mqtt.words import Facts, Message, Order

Read = Callable[[bytes], Order]
"""`payloads.power` or `payloads.limit`."""


class OwnWords:
    """Speaks on `depot/<site>/<id>/...`; without `read` it takes no commands (a meter)."""

    def __init__(self, site_id: str, device_id: str, read: Read | None) -> None:
        self._topic = f"depot/{site_id}/{device_id}"
        self._read = read
        self._seq = 0

    @property
    def will(self) -> Message | None:
        """That it is offline."""
        return self._status("offline")

    @property
    def wants(self) -> Sequence[str]:
        """Its commands."""
        return [f"{self._topic}/cmd"] if self._read else []

    def births(self) -> Sequence[Message]:
        """That it is online."""
        return [self._status("online")]

    def says(self, facts: Facts, now: datetime) -> Sequence[Message]:
        """Its state, each time with the next number."""
        self._seq += 1
        body = {"ts": now.isoformat(), "seq": self._seq, **_nested(facts)}
        return [Message(topic=f"{self._topic}/state", payload=json.dumps(body), retain=True)]

    def order(self, topic: str, payload: bytes) -> Order | None:
        """The command; raises ProtocolError for anything else."""
        del topic
        return None if self._read is None else self._read(payload)

    def answers(
        self, topic: str, payload: bytes, facts: Facts, now: datetime, refusal: str
    ) -> Sequence[Message]:
        """The acknowledgement."""
        del facts
        order = self.order(topic, payload)
        if order is None:
            return []
        text = payloads.ack(id=order.id, at=now, reason=refusal)
        return [Message(topic=f"{self._topic}/ack", payload=text)]

    def _status(self, text: str) -> Message:
        return Message(topic=f"{self._topic}/status", payload=text, retain=True)


def _nested(facts: Facts) -> dict[str, object]:
    """`currents_a/0` and its like as lists."""
    body: dict[str, object] = {}
    lists: dict[str, list[float | None]] = {}
    for name, value in facts.items():
        rounded = None if value is None else round(value, 2)
        if "/" in name:
            lists.setdefault(name.partition("/")[0], []).append(rounded)
        else:
            body[name] = rounded
    return body | lists
