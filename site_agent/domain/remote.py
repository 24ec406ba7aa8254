"""Which settings from above a site runs with: one record, and what may happen to it.

The record is stored as a whole before anything follows from it. Whoever finds it, after whatever
end, knows what to run: what is on trial when an agent starts has not proved itself and goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

APPLIED, ROLLED_BACK = "applied", "rolled_back"
_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Settings from above, found good for the site's own file as it was then."""

    configuration_id: str
    revision: int
    text: str
    base: str
    """Fingerprint of the site's own file."""
    at: datetime | None = None
    """When to try it; None: at a quiet moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is kept."""

    good: Held | None = None
    """In force once nothing is on trial; None: the site's own file alone."""
    next: Held | None = None
    """Waits for its time, or is on trial."""
    trial: bool = False
    revision: int = 0
    """Highest ever staged."""
    last: str = ""
    """The last one whose trial has ended, ..."""
    outcome: str = ""
    """... `applied` or `rolled_back`, ..."""
    reason: str = ""
    """... and why."""

    @property
    def running(self) -> Held | None:
        """What is, or should be, in force."""
        return self.next if self.trial else self.good


def staged(record: Record, held: Held) -> Record:
    """It waits for its time, in the place of any other that did.

    Raises:
        ValueError: another is on trial, or it is older than one before.
    """
    if record.trial:
        raise ValueError("another configuration is on trial")
    if held.revision <= record.revision:
        raise ValueError(
            f"revision {held.revision} is not newer than {record.revision}: an old message"
        )
    return replace(record, next=held, revision=held.revision)


def begun(record: Record) -> Record:
    """Its trial begins."""
    if record.next is None:
        raise ValueError("nothing is staged")
    return replace(record, trial=True)


def kept(record: Record) -> Record:
    """Its trial has gone well."""
    return _over(replace(record, good=record.next), APPLIED, "")


def rolled_back(record: Record, reason: str) -> Record:
    """What was staged or on trial goes; what was good before stays."""
    return _over(record, ROLLED_BACK, reason)


def found(record: Record, base: str) -> Record:
    """As an agent takes it up when it starts with its own file of this fingerprint."""
    if record.trial:
        return rolled_back(record, "the agent ended before its trial did")
    if record.next is not None and record.next.base != base:
        return rolled_back(record, "the site's own file has changed since it was staged")
    return record


def due(record: Record, now: datetime, *, quiet: bool) -> bool:
    """Whether the trial of what is staged should begin."""
    if record.next is None or record.trial:
        return False
    return quiet if record.next.at is None else record.next.at <= now


def _over(record: Record, outcome: str, reason: str) -> Record:
    last = "" if record.next is None else record.next.configuration_id
    return replace(
        record, next=None, trial=False, last=last, outcome=outcome, reason=reason[:_CHARS]
    )
