"""Scenarios as people write them: what is done when, and what must come back by when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from contracts.openadr.payloads import EventStatus, OptType
from vtn_sim.openadr.actions import Action
from vtn_sim.openadr.faults import EVERY
from vtn_sim.spec import Identifier, XmlText

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=31 * 86_400)]


class MessageExpected(Settings):
    """Messages of one kind."""

    name: Identifier
    """`oadrRegisterReport` for example."""
    code: Annotated[int, Field(ge=0, le=999)] | None = None
    """Of their eiResponse; none: any."""


class AnswerExpected(Settings):
    """The answers to one modification of an event."""

    event: Identifier
    modification: Annotated[int, Field(ge=0)] = 0
    opt: OptType | None = None
    """None: any."""
    code: Annotated[int, Field(ge=0, le=999)] | None = None
    """None: any."""


class ReportExpected(Settings):
    """The values that came for one report request, counted."""

    request: Identifier
    r_id: Identifier | None = None
    """None: of whichever point has fewest."""
    minimum: float | None = None
    maximum: float | None = None
    """What every value lies within, in the unit of its point."""


class OptExpected(Settings):
    """Opts of EiOpt."""

    opt: OptType | None = None
    event: Identifier | None = None
    """The one it is about; none: any, or none."""
    schedule: bool | None = None
    """Whether it has an availability schedule; none: no matter."""
    resource: Identifier | None = None
    """Among its targets."""
    cancelled: bool = False


class Expectation(Settings):
    """One thing that must come, or must not come (`at_most: 0`)."""

    text: str = ""
    """In words, for whoever reads the verdict."""
    ven: XmlText = EVERY
    from_s: Seconds = 0.0
    by_s: Seconds = 30.0
    """Since the beginning; with `after_step`, since that step was done."""
    after_step: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Counted from 1."""
    at_least: Count | None = None
    """None: 1, or 0 where `at_most` is 0."""
    at_most: Count | None = None
    message: MessageExpected | None = None
    answer: AnswerExpected | None = None
    report: ReportExpected | None = None
    opt: OptExpected | None = None
    registered: bool | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        things = (self.message, self.answer, self.report, self.opt, self.registered)
        if sum(thing is not None for thing in things) != 1:
            raise ValueError("expect one of message, answer, report, opt, registered")
        return self

    @property
    def least(self) -> int:
        """How many there must be."""
        return self.at_least if self.at_least is not None else int(self.at_most != 0)

    @property
    def title(self) -> str:
        """What is expected, in words."""
        if self.text:
            return self.text
        parts = self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"ven"})
        return " ".join(f"{name}={_words(value)}" for name, value in parts.items())


class EventState(Settings):
    """An event has come to a state, or is past it."""

    event: Identifier
    status: EventStatus


class Condition(Settings):
    """What a step waits for: one of these."""

    message: MessageExpected | None = None
    """So many such messages since the step before (or the beginning)."""
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    event: EventState | None = None
    registered: bool | None = None
    timeout_s: Seconds = 60.0
    """After that long the run has failed."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        things = (self.message, self.event, self.registered)
        if sum(thing is not None for thing in things) != 1:
            raise ValueError("wait for one of message, event, registered")
        return self


class Step(Settings):
    """An action, and when: so long after the beginning, or once something has happened."""

    at_s: Seconds | None = None
    after: Condition | None = None
    """None, and no `at_s`: at once after the step before."""
    wait_s: Seconds = 0.0
    """Added to either."""
    try_for_s: Seconds = 10.0
    """So long it is tried again while it is not possible: a VEN may not have offered its reports
    yet."""
    do: Action


class Script(Settings):
    """What is done and what must come of it."""

    steps: Annotated[tuple[Step, ...], Field(max_length=1000)] = ()
    expect: Annotated[tuple[Expectation, ...], Field(max_length=1000)] = ()
    register_within_s: Seconds = 600.0
    """How long its VEN may take to register; then it has failed, and the next one is played."""
    watch_s: Seconds = 1.0
    """How long it is watched when all has come: what comes twice comes now."""
    judge: bool = True
    """Whether the judge's findings on its events, reports and opts count as well."""
    manners: bool = True
    """Whether the VEN's irregular messages count: not where it is to be provoked to them."""


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "(" + " ".join(f"{name}={_words(one)}" for name, one in value.items()) + ")"
    return str(value)


def replaced(content: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """The same with every text that is one of the names replaced."""
    match content:
        case str():
            return names.get(content, content)
        case dict():
            return {key: replaced(value, names) for key, value in content.items()}
        case list() | tuple():
            return [replaced(value, names) for value in content]
        case _:
            return content
