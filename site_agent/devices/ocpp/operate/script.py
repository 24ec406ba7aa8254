"""A recording taken apart: which frame asks, which one answers, which connection carries both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import frames
from site_agent.devices.ocpp.wire.frames import (
    Answer,
    Call,
    CallFaultError,
    CallRefusedError,
    Json,
)
from site_agent.devices.ocpp.wire.trace import Direction, Frame

IGNORED = frozenset({
    "currentTime", "timestamp", "startSchedule", "validFrom", "validTo", "expiryDate",
    "cacheExpiryDateTime", "transactionId", "requestId", "reservationId", "remoteStartId",
    "chargingProfileId", "chargingScheduleId",
})  # fmt: skip
"""Ids and times: they differ from run to run and mean nothing by themselves."""

_SET_UP = timedelta(seconds=20)
"""What we ask later than this after a connection began, a person or the control loop has caused."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """A CALL of ours as recorded, and what the charger answered."""

    action: str
    payload: Json
    late: bool = False
    """So long after the connection began that it is no part of setting up."""
    answer: Json | CallRefusedError | None = None
    """None: nothing."""
    used: bool = False
    given_up: bool = False


@dataclass(slots=True, kw_only=True)
class Line:
    """A frame of the charger to be sent, and what we answered then."""

    frame: Frame
    call: Call | None
    """None: it was no CALL that can be read; sent as it was."""
    answer: Json | CallRefusedError | None = None
    awaits: int = 0
    """How many CALLs of ours had been recorded before it."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """One connection. `whole`: recorded from its beginning, set-up and all."""

    version: Version | None
    whole: bool
    lines: list[Line] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


def scenes(recorded: Sequence[Frame]) -> list[Scene]:
    """The connections of a recording, those without a frame left out."""
    parts: list[tuple[Scene, list[Frame]]] = [(Scene(version=None, whole=False), [])]
    for frame in recorded:
        if frame.direction is not Direction.LINK:
            parts[-1][1].append(frame)
        elif frame.text.startswith("open "):
            parts.append((Scene(version=_version(frame.text[5:]), whole=True), []))
    for scene, part in parts:
        _fill(scene, part)
    return [scene for scene, part in parts if part]


def differences(recorded: object, now: object, where: str = "") -> Iterator[str]:
    """Where two payloads differ, ids and times apart."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in sorted({*recorded, *now} - IGNORED):
            yield from differences(recorded.get(key), now.get(key), f"{where}/{key}")
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for number, (one, other) in enumerate(zip(recorded, now, strict=True)):
            yield from differences(one, other, f"{where}/{number}")
    elif recorded != now:
        yield f"{where or 'all of it'}: {_said(recorded)} then, {_said(now)} now"


def plain(outcome: Json | CallRefusedError | None) -> object:
    """An outcome as something to compare."""
    return {"CALLERROR": outcome.code} if isinstance(outcome, CallRefusedError) else outcome


def _fill(scene: Scene, part: Sequence[Frame]) -> None:
    ours: dict[str, Asked] = {}
    theirs: dict[str, Line] = {}
    for frame in part:
        parsed = _parsed(frame)
        if isinstance(parsed, Answer):
            holder: Mapping[str, Asked | Line]
            holder = ours if frame.direction is Direction.IN else theirs
            if (asker := holder.get(parsed.message_id)) is not None:
                asker.answer = parsed.outcome
        elif frame.direction is Direction.IN:
            line = Line(frame=frame, call=parsed, awaits=len(scene.asked))
            scene.lines.append(line)
            if parsed is not None:
                theirs[parsed.message_id] = line
        elif parsed is not None:
            late = frame.at - part[0].at > _SET_UP
            ours[parsed.message_id] = Asked(action=parsed.action, payload=parsed.payload, late=late)
            scene.asked.append(ours[parsed.message_id])


def _parsed(frame: Frame) -> Call | Answer | None:
    try:
        return frames.parse(frame.text)
    except CallFaultError:
        return None


def _version(word: str) -> Version | None:
    return Version(word) if word in list(Version) else None


def _said(value: object) -> str:
    return "nothing" if value is None else frames.text_of({"": value})[4:-1][:120]
