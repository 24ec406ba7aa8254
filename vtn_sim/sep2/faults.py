"""Faults of the server's answers, each for so many requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.config import Settings

EVERY: Final = "*"
Effect = Literal["status", "slow", "cut", "drop", "redirect", "content-type", "garbage", "endless"]


class FaultSpec(Settings):
    """What goes wrong, with which requests."""

    effect: Effect
    """`status` answers `status`; `slow` waits `delay_s`; `cut` ends in mid body; `drop` closes
    without an answer; `redirect` sends to `location`, or to the same resource once more;
    `content-type` says text/html; `garbage` is no XML; `endless` is a list whose `all` grows."""
    kind: str = EVERY
    """Name of the resource, `DERControlList` for example; `*` is any."""
    method: Literal["GET", "PUT", "POST", "DELETE", "*"] = EVERY
    times: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """How many requests; none: until it is cleared."""
    status: Annotated[int, Field(ge=300, le=599)] = 503
    """Of `status` and `redirect` (301 or 302)."""
    retry_after_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    delay_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    location: str | None = None
    """Of `redirect`: an address elsewhere."""


@dataclass(slots=True)
class ActiveFault:
    """A fault and how often it may still happen."""

    number: int
    spec: FaultSpec
    left: int | None
    hits: int = 0


class FaultBook:
    """The faults switched on now."""

    def __init__(self) -> None:
        self._faults: list[ActiveFault] = []
        self._number = 0

    def add(self, spec: FaultSpec) -> ActiveFault:
        """Switch one on."""
        self._number += 1
        fault = ActiveFault(number=self._number, spec=spec, left=spec.times)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all off."""
        self._faults.clear()

    def all(self) -> tuple[ActiveFault, ...]:
        """Those that are on."""
        return tuple(self._faults)

    def strike(self, method: str, kind: str) -> FaultSpec | None:
        """The first fault that concerns this request, now counted."""
        for fault in self._faults:
            spec = fault.spec
            if spec.kind in (EVERY, kind) and spec.method in (EVERY, method):
                self._count(fault)
                return spec
        return None

    def _count(self, fault: ActiveFault) -> None:
        fault.hits += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self._faults.remove(fault)
