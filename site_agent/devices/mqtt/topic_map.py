"""The topic map of a device: which topic says what, how commands are given and confirmed.

A YAML file (`maps/*.yaml` come with the agent) that is read strictly: unknown keys, numbers in
quotes, odd topics and impossible units are mistakes that are named. `TopicMap` is its whole
vocabulary; the reader is `library`, the device made of it `device`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, model_validator

from contracts.config import Settings
from site_agent.devices.mqtt import topics
from site_agent.devices.mqtt.templates import check_template, variables
from site_agent.devices.mqtt.values import TimeFormat
from site_agent.devices.points.units import fits
from site_agent.devices.points.vocabulary import CONTROLS, POINTS

_POINTER = re.compile(r"(/([^/~]|~[01]){0,60}){0,8}")


def _topic(pattern: str) -> str:
    return topics.check(pattern)


def _filter(pattern: str) -> str:
    return topics.check(pattern, wildcard=True)


def _pointer(text: str) -> str:
    if not _POINTER.fullmatch(text):
        raise ValueError("a JSON pointer begins with / and has at most 8 parts (RFC 6901)")
    return text


Topic = Annotated[str, AfterValidator(_topic)]
TopicFilter = Annotated[str, AfterValidator(_filter)]
Pointer = Annotated[str, Field(max_length=200), AfterValidator(_pointer)]
"""RFC 6901; "" is the whole JSON document."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Template = Annotated[str | dict[str, object], AfterValidator(check_template)]
OWN_NAMES = frozenset({"site", "device"})


class TimeMap(Settings):
    """Where a message says when it was true."""

    pointer: Pointer
    format: TimeFormat = "rfc3339"


class QualityMap(Settings):
    """Where a message says how far it may be trusted; any other word makes its values INVALID."""

    pointer: Pointer
    good: Annotated[tuple[Word, ...], Field(min_length=1)]
    estimated: tuple[Word, ...] = ()


class OnlineMap(Settings):
    """Where the device, or the broker by its last will, says whether it is there."""

    topic: Topic
    pointer: Pointer | None = None
    online: Annotated[tuple[Word, ...], Field(min_length=1)]
    offline: Annotated[tuple[Word, ...], Field(min_length=1)]


class RequestMap(Settings):
    """Something the device wants to hear again and again, or it falls silent."""

    topic: Topic
    payload: Template = ""
    every_s: Annotated[float, Field(strict=True, ge=0.5, le=3600)]


class PointMap(Settings):
    """Where one point of the vocabulary comes from.

    value = (said * scale + offset) from `unit` to the point's own, then `invert`, then `magnitude`.
    """

    topic: TopicFilter
    pointer: Pointer | None = None
    """None: the whole payload is the number or word, as plain text."""
    unit: str | None = None
    """None: the point's own."""
    scale: Number = 1.0
    offset: Number = 0.0
    invert: StrictBool = False
    magnitude: StrictBool = False
    values: Mapping[Word, Number] | None = None
    """Words (true and false among them) and what they stand for."""
    text: StrictBool = False
    """The JSON has numbers in quotes."""
    range: tuple[Number, Number] | None = None
    """Values beyond it, in the point's own unit, are nonsense."""
    max_age_s: Seconds = 5.0
    required: StrictBool = False
    """Without it the device counts as not answering."""
    retained: Literal["refuse", "take"] = "refuse"
    """What is done with a retained value that does not say when it was true: it may be of last
    year. `take` is for what hardly changes, such as a capacity."""
    time: TimeMap | None = None
    """None: the map's."""


class Acknowledged(Settings):
    """A command is confirmed by an answer that names it."""

    by: Literal["answer"]
    topic: Topic
    id: Pointer
    accepted: Pointer
    reason: Pointer | None = None
    within_s: Seconds = 3.0


class Shown(Settings):
    """A command is confirmed by the device showing it."""

    by: Literal["state"]
    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=3)]
    """As many as the control's, in that order."""
    pointer: Pointer | None = None
    tolerance: Annotated[float, Field(strict=True, ge=0)] = 0.5
    """In the unit that goes over the wire."""
    ask: tuple[Topic, ...] = ()
    """Written empty after the command, so that the device says it even if it has not changed."""
    within_s: Seconds = 3.0


class ControlMap(Settings):
    """How one control of the vocabulary is told: with QoS 1, never retained."""

    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=3)]
    """Of several, each is told an even share of the value."""
    payload: Template
    """Text or JSON with `$value`, `$id`, `$now`, `$expires_at`, `$valid_for_s` for values."""
    release: Template | None = None
    """What ends it; None: nothing does but its own lapse."""
    unit: str | None = None
    scale: Annotated[float, Field(strict=True, gt=0)] = 1.0
    """Told value = value in `unit` / scale, so that it is the same number as of the point."""
    invert: StrictBool = False
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    expires_after_s: Seconds = 5.0
    """A command that arrives later than this must be refused by the device."""
    confirm: Annotated[Acknowledged | Shown, Field(discriminator="by")]

    @model_validator(mode="after")
    def _holds_together(self) -> ControlMap:
        used = variables(self.payload)
        if "value" not in used:
            raise ValueError("payload: $value is missing")
        if isinstance(self.confirm, Acknowledged):
            if "id" not in used:
                raise ValueError("payload: an answer can only name a command with $id")
        elif len(self.confirm.topics) != len(self.topics):
            raise ValueError("confirm.topics: one for each of topics")
        return self


class TopicMap(Settings):
    """A whole map."""

    map: Literal[1]
    """The version of this vocabulary."""
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,59}$")]
    about: Annotated[str, Field(max_length=1000)] = ""
    source: tuple[Annotated[str, Field(max_length=300)], ...] = ()
    """Public documents the map was made from."""
    nature: Literal["meter", "battery", "pv", "sensor"]
    names: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,20}$")], ...] = ()
    """Placeholders of topics that an installation must fill, besides `site` and `device`."""
    points: Annotated[Mapping[str, PointMap], Field(min_length=1, max_length=40)]
    controls: Annotated[Mapping[str, ControlMap], Field(max_length=4)] = Field(default_factory=dict)
    lapse: Literal["commanded", "none"] | Seconds | None = None
    """How a setpoint ends when we die: after the `$valid_for_s` it was given with, after so many
    seconds without another one, or never."""
    online: OnlineMap | None = None
    requests: Annotated[tuple[RequestMap, ...], Field(max_length=20)] = ()
    time: TimeMap | None = None
    sequence: Pointer | None = None
    """A number that rises from message to message of a topic."""
    quality: QualityMap | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> TopicMap:
        faults = [*self._unit_faults(), *self._lapse_faults(), *self._name_faults()]
        if not any(point.required for point in self.points.values()):
            faults.append("points: at least one must be required")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _unit_faults(self) -> Iterator[str]:
        for kind, parts, known in (
            ("points", self.points, POINTS),
            ("controls", self.controls, CONTROLS),
        ):
            for name, part in parts.items():
                if name not in known:
                    yield f"{kind}: there is no {name!r}"
                elif part.unit is not None and not fits(part.unit, known[name].unit):
                    yield f"{kind}.{name}: {part.unit!r} is no unit of {known[name].unit or 'it'}"

    def _lapse_faults(self) -> Iterator[str]:
        commanded = [
            name for name, one in self.controls.items() if "valid_for_s" in variables(one.payload)
        ]
        if self.controls and self.lapse is None:
            yield "lapse: say how a setpoint ends when nobody renews it, or `none`"
        if self.lapse == "none" and any(one.release is None for one in self.controls.values()):
            yield "lapse: a control that never ends by itself needs a `release`"
        if (self.lapse == "commanded") != bool(commanded):
            yield "lapse: `commanded` and $valid_for_s belong together"

    def _name_faults(self) -> Iterator[str]:
        known = OWN_NAMES | set(self.names)
        for pattern in {*self.read_topics(), *self.written_topics()}:
            for name in sorted(topics.placeholders(pattern) - known):
                yield f"topic {pattern!r}: {{{name}}} is not among names"

    def read_topics(self) -> list[str]:
        """What we subscribe to, each once; the last will first, so that it is known first."""
        said = [] if self.online is None else [self.online.topic]
        said += [point.topic for point in self.points.values()]
        for control in self.controls.values():
            confirm = control.confirm
            said += [confirm.topic] if isinstance(confirm, Acknowledged) else confirm.topics
        return list(dict.fromkeys(said))

    def written_topics(self) -> list[str]:
        """What we publish to, each once."""
        told = [request.topic for request in self.requests]
        for control in self.controls.values():
            told += control.topics
            told += control.confirm.ask if isinstance(control.confirm, Shown) else ()
        return list(dict.fromkeys(told))
