"""One readable line per frame: time, direction, action, id, and the gist of the payload."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import tzinfo

from site_agent.devices.ocpp.operate.secrets import with_short_tags, without_passwords
from site_agent.devices.ocpp.wire import frames
from site_agent.devices.ocpp.wire.frames import Answer, BadFrameError, Call, CallRefusedError
from site_agent.devices.ocpp.wire.trace import Direction, Frame

_ARROWS = {Direction.IN: "<-", Direction.OUT: "->", Direction.LINK: "--"}
"""`<-` from the charger, `->` to it."""
_LONGEST = 160
_REMEMBERED = 1000


class Lines:
    """Writes frames of one station in order; an answer is called after its question."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._actions: OrderedDict[str, str] = OrderedDict()

    def line(self, frame: Frame) -> str:
        """The frame in one line, without the control characters a peer may have put in it."""
        at = frame.at.astimezone(self._zone).strftime("%H:%M:%S.%f")[:-3]
        return f"{at} {_ARROWS[frame.direction]} {_printable(self._gist(frame))}"

    def _gist(self, frame: Frame) -> str:
        if frame.direction is Direction.LINK:
            return frame.text
        text = without_passwords(frame.text)
        try:
            parsed = frames.parse(text)
        except BadFrameError as bad:
            return f"{'(cut)' if frame.cut else f'({bad})'} {_short(text)}"
        ref = parsed.message_id[-6:]
        if isinstance(parsed, Call):
            self._remember(parsed)
            return f"{parsed.action} #{ref} {_payload(parsed.payload)}"
        return f"{self._named(parsed)} #{ref} {_outcome(parsed)}"

    def _remember(self, call: Call) -> None:
        self._actions[call.message_id] = call.action
        while len(self._actions) > _REMEMBERED:
            self._actions.popitem(last=False)

    def _named(self, answer: Answer) -> str:
        return f"{self._actions.get(answer.message_id, '?')}.conf"


def _outcome(answer: Answer) -> str:
    if isinstance(answer.outcome, CallRefusedError):
        return f"CALLERROR {_short(str(answer.outcome))}"
    return _payload(answer.outcome)


def _payload(payload: object) -> str:
    return _short(json.dumps(with_short_tags(payload), ensure_ascii=False, separators=(",", ":")))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "·" for mark in text)
