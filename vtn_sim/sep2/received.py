"""What clients have sent that is not the state of something: Responses and LogEvents."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.sep2.hexes import canonical_lfdi, canonical_mrid
from contracts.sep2.resources import LogEvent, Response

_KEEP = 100_000
_KEEP_LOGS = 1000
"""Of each EndDevice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedResponse:
    """A Response, taken or refused."""

    number: int
    at: datetime
    client: str
    """LFDI of who sent it."""
    response_set: str
    resource: Response
    problem: str | None
    """Why it was refused."""

    @property
    def lfdi(self) -> str:
        """Of the EndDevice it speaks for."""
        return canonical_lfdi(self.resource.end_device_lfdi)

    @property
    def subject(self) -> str:
        """Canonical mRID of the event."""
        return canonical_mrid(self.resource.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLogEvent:
    """A LogEvent of an EndDevice."""

    number: int
    at: datetime
    lfdi: str
    resource: LogEvent


class Received:
    """Everything received, bounded."""

    def __init__(self) -> None:
        self._responses: deque[ReceivedResponse] = deque(maxlen=_KEEP)
        self._log_events: dict[str, deque[ReceivedLogEvent]] = {}
        self._number = 0

    def add_response(
        self, resource: Response, response_set: str, client: str, at: datetime, problem: str | None
    ) -> ReceivedResponse:
        """Record a Response."""
        self._number += 1
        record = ReceivedResponse(
            number=self._number,
            at=at,
            client=client,
            response_set=response_set,
            resource=resource,
            problem=problem,
        )
        self._responses.append(record)
        return record

    def add_log_event(self, resource: LogEvent, lfdi: str, at: datetime) -> ReceivedLogEvent:
        """Record a LogEvent."""
        self._number += 1
        record = ReceivedLogEvent(number=self._number, at=at, lfdi=lfdi, resource=resource)
        self._log_events.setdefault(lfdi, deque(maxlen=_KEEP_LOGS)).append(record)
        return record

    def responses(self, mrid: str | None = None) -> Sequence[ReceivedResponse]:
        """All of them, or those about one event, in order of arrival."""
        wanted = None if mrid is None else canonical_mrid(mrid)
        return [r for r in self._responses if wanted in (None, r.subject)]

    def log_events(self, lfdi: str) -> Collection[ReceivedLogEvent]:
        """Those of one EndDevice, in order of arrival."""
        return self._log_events.get(lfdi, ())
