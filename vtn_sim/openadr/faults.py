"""Faults of what the VTN sends, each for some VENs, messages, times and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from vtn_sim.spec import XmlText

EVERY: Final = "*"
Effect = Literal[
    "delay",
    "status",
    "empty",
    "truncated",
    "disconnect",
    "drop",
    "garbage",
    "huge",
    "content-type",
    "redirect",
    "unsigned",
    "wrong-signature",
    "tampered",
    "replayed",
    "stale",
    "future",
    "wrong-ven-id",
    "wrong-request-id",
    "wrong-vtn-id",
    "duplicate",
    "out-of-order",
]
UNREADABLE: Final = frozenset(
    {"status", "empty", "truncated", "disconnect", "drop", "garbage", "huge", "redirect"}
)
"""Nobody can read the answer."""
UNBELIEVABLE: Final = frozenset(
    {"unsigned", "wrong-signature", "tampered", "replayed", "stale", "future"}
)
"""A VEN that checks signatures refuses it."""
LOST: Final = UNREADABLE | UNBELIEVABLE
ANSWERS_ONLY: Final = frozenset({"status", "empty", "disconnect", "drop", "redirect"})
"""Nothing that a pushed message could have."""


class OadrFaultSpec(Settings):
    """What goes wrong, and with what."""

    effect: Effect
    """`delay` waits `delay_s`; `status` answers `status`; `empty` answers 200 without a body;
    `truncated` ends the XML half-way; `disconnect` ends the connection in mid-body, `drop` before
    the answer; `garbage` is no XML; `huge` has `size_bytes` more; `content-type` says text/html;
    `redirect` sends to `location`; `unsigned`, `wrong-signature`, `tampered` (changed once signed),
    `replayed` (the last message once more), `stale` and `future` (signed `shift_s` earlier or
    later) are about signatures; `wrong-ven-id`, `wrong-request-id`, `wrong-vtn-id` name somebody
    else; `duplicate` sends the message once more with the next poll; `out-of-order` sends the
    modification of each event before its newest."""
    ven: XmlText = EVERY
    """venID; `*` is any, and whoever has none yet."""
    service: str = EVERY
    """`EiEvent` for example."""
    received: str = EVERY
    """The VEN's message, `oadrPoll` for example."""
    sent: str = EVERY
    """Our message, `oadrDistributeEvent` for example."""
    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """So many messages go well first."""
    times: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """How many messages; none: until it is cleared or its time is over."""
    for_s: Annotated[float, Field(gt=0, le=31 * 86_400)] | None = None
    """How long; none: without end."""
    taken: bool | None = None
    """Whether what the VEN sent is taken all the same; none: yes, but not with `status`."""
    status: Annotated[int, Field(ge=300, le=599)] = 503
    retry_after_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    delay_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    location: str = "https://127.0.0.1:9/elsewhere"
    size_bytes: Annotated[int, Field(ge=1, le=64 << 20)] = 4 << 20
    shift_s: Annotated[int, Field(ge=1, le=31 * 86_400)] = 3600

    @property
    def takes(self) -> bool:
        """Whether the VEN's message is taken."""
        return self.effect != "status" if self.taken is None else self.taken

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.takes and (self.effect not in UNREADABLE or self.sent != EVERY):
            raise ValueError("what is not taken has no answer to read or to choose by")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A message on its way, for faults to choose from."""

    ven_id: str
    service: str
    received: str
    sent: str = EVERY
    pushed: bool = False


@dataclass(slots=True, kw_only=True)
class ActiveFault:
    """A fault, how often it may still happen, and until when."""

    number: int
    spec: OadrFaultSpec
    skip: int
    left: int | None
    until: datetime | None
    hits: int = 0


class FaultBook:
    """The faults switched on now."""

    def __init__(self) -> None:
        self._faults: list[ActiveFault] = []
        self._number = 0

    def add(self, spec: OadrFaultSpec, now: datetime) -> ActiveFault:
        """Switch one on."""
        self._number += 1
        until = None if spec.for_s is None else now + timedelta(seconds=spec.for_s)
        fault = ActiveFault(
            number=self._number, spec=spec, skip=spec.skip, left=spec.times, until=until
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all off."""
        self._faults.clear()

    def all(self, now: datetime) -> tuple[ActiveFault, ...]:
        """Those that are on."""
        self._faults = [f for f in self._faults if f.until is None or now < f.until]
        return tuple(self._faults)

    def strike(self, passing: Passing, now: datetime, *, taken: bool) -> OadrFaultSpec | None:
        """The first fault that concerns this message, now counted.

        `taken`: of those that let the VEN's message be taken, or of the others.
        """
        for fault in self.all(now):
            if fault.spec.takes is taken and _concerns(fault.spec, passing):
                if fault.skip:
                    fault.skip -= 1
                    continue
                self._count(fault)
                return fault.spec
        return None

    def _count(self, fault: ActiveFault) -> None:
        fault.hits += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self._faults.remove(fault)


def _concerns(spec: OadrFaultSpec, passing: Passing) -> bool:
    return (
        spec.ven in (EVERY, passing.ven_id)
        and spec.service in (EVERY, passing.service)
        and spec.received in (EVERY, passing.received)
        and spec.sent in (EVERY, passing.sent)
        and not (passing.pushed and spec.effect in ANSWERS_ONLY)
    )
