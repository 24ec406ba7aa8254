"""Every resource read from the server, by address, with the moment it is to be read again.

The walk asks for what it meets as if all of it were there; what is missing or due is noted, and
read in batches. So a resource that a thousand devices share costs one request, and a branch that
did not change costs none.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.sep2.resources import (
    DERCurve,
    DERCurveList,
    DERList,
    EndDevice,
    Resource,
    ResourceList,
)
from contracts.time import Clock
from gateway.utility.sep2.paging import Document, Reader, read_list, read_one
from gateway.utility.sep2.rhythms import SUBSCRIBED, rate_s, urgency
from gateway.utility.sep2.transport import BusyError, NotVisibleError, StalledError

_log = structlog.get_logger(__name__)
Wanted = TypeVar("Wanted", bound=Resource)


_HINT_GAP_S = 1.0
"""However many Notifications come, a resource is read at most this often."""
_LAG_S = 2.0
"""Reading may wait so long for more to come due."""
_RETRY_S = 15.0
_LONGEST_RETRY_S = 900.0
_PATIENCE = 3
"""A branch never read yet is waited for, for so many attempts."""
_NOT_VISIBLE_TWICE = 2
"""A branch once read is given up when it was not there so many times in a row."""
_SLOW_RETRY_S = 300.0
"""For what is not there for us."""
_UNCONDITIONALLY = (1, 3)
"""Values of `subscribable` that allow a Subscription without conditions."""
_DISPENSABLE = (DERCurve, DERCurveList, DERList, EndDevice)
"""A device can be steered without these; not while it is unknown what binds it."""


@dataclass(slots=True)
class Branch:
    """One resource and how reading it went."""

    path: str
    kind: type[Resource]
    parent: str
    document: Document[Any] | None = None
    gone: bool = False
    """Not there for us, or dispensable: what hangs on it goes on without it."""
    read_at: float = -math.inf
    hinted_at: float = math.inf
    retry_at: float = math.inf
    failures: int = 0
    error: str = ""
    inherited: timedelta | None = None
    subscriptions: str | None = None
    """SubscriptionList of the device it was met at first."""
    generation: int = 0
    """The walk it was met in last; -1 once it is forgotten."""
    version: int = 0
    """When it changed last, counted in changes of the whole tree."""

    @property
    def unread(self) -> bool:
        """Whether nothing at all is known yet."""
        return self.document is None and not self.gone


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one part of a walk looked at, and when."""

    branches: list[Branch]
    version: int


@dataclass(slots=True)
class _Trouble:
    """What went wrong with the server, not with one resource."""

    down: LinkDownError | None = None
    stalls: int = 0
    """Silences in a row."""
    busy: list[BusyError] = field(default_factory=list)


class Tree:
    """What is known of one server. Only branches met in the last walk are kept."""

    def __init__(
        self,
        reader: Reader,
        clock: Clock,
        *,
        max_items: int,
        workers: int = 4,
        poll_s: float | None = None,
        quiet: Callable[[str], bool] = lambda _path: False,
        changed_unasked: Callable[[str], None] = lambda _path: None,
    ) -> None:
        """`quiet`: whether Notifications cover a path; `changed_unasked`: one did not tell."""
        self._reader = reader
        self._clock = clock
        self._max_items = max_items
        self._workers = workers
        self._poll_s = poll_s
        self._quiet = quiet
        self._changed_unasked = changed_unasked
        self._branches: dict[str, Branch] = {}
        self._generation = 0
        self._version = 0
        self._trace: list[Branch] = []
        self.unread = 0
        """Branches met in this walk of which nothing is known yet."""
        self.awaited = 0
        """Those of them that may yet be read soon."""

    def __len__(self) -> int:
        return len(self._branches)

    def begin(self) -> None:
        """A walk begins."""
        self._generation += 1
        self.unread = self.awaited = 0
        self._trace = []

    def look(
        self,
        path: str,
        kind: type[Wanted],
        parent: str,
        *,
        rate: timedelta | None = None,
        subscriptions: str | None = None,
        later: bool = False,
    ) -> Wanted | None:
        """The resource at `path`, or None: not there, or not read yet (counted in `unread`).

        `rate` is the pollRate of what it hangs from, `subscriptions` where a Subscription to it
        could be put; `later`: no need to read it before its time.
        """
        branch = self._branches.get(path)
        if branch is None or branch.kind is not kind:
            branch = self._branches[path] = Branch(path, kind, parent)
            if later:
                branch.gone, branch.read_at = True, self._clock.monotonic()
        if branch.generation != self._generation:
            branch.generation, branch.parent = self._generation, parent
            branch.inherited, branch.subscriptions = rate, subscriptions
        elif rate is not None:
            branch.inherited = rate if branch.inherited is None else min(rate, branch.inherited)
        self._trace.append(branch)
        self.unread += branch.unread
        self.awaited += branch.unread and branch.failures < _PATIENCE
        return None if branch.document is None else branch.document.content

    def trace(self) -> Footprint:
        """What was looked at since the last call."""
        footprint = Footprint(self._trace, self._version)
        self._trace = []
        return footprint

    def retrace(self, footprint: Footprint) -> bool:
        """Whether all of it is as it was then; if so, this walk counts as having been there."""
        for branch in footprint.branches:
            if branch.version > footprint.version or branch.generation < 0:
                return False
        for branch in footprint.branches:
            branch.generation = self._generation
        return True

    def sweep(self) -> None:
        """Forget what the last walk did not meet."""
        for branch in [b for b in self._branches.values() if b.generation != self._generation]:
            branch.generation = -1
            del self._branches[branch.path]

    def subscribable(self) -> dict[str, str | None]:
        """What is to be subscribed to, with the SubscriptionList of the device it was met at."""
        found = [
            branch
            for branch in self._branches.values()
            if branch.kind in SUBSCRIBED
            and branch.document is not None
            and branch.document.content.subscribable in _UNCONDITIONALLY
        ]
        found.sort(key=lambda branch: SUBSCRIBED.index(branch.kind))
        return {branch.path: branch.subscriptions for branch in found}

    def hint(self, *paths: str) -> bool:
        """Something may have changed there: read it now. False when none of them is known."""
        known = [self._branches[path] for path in paths if path in self._branches]
        for branch in known:
            branch.hinted_at = min(branch.hinted_at, self._clock.monotonic())
        return bool(known)

    def hint_failed(self) -> None:
        """The server is back: try again what failed."""
        for branch in self._branches.values():
            if branch.failures:
                branch.retry_at = self._clock.monotonic()

    def due(self) -> list[Branch]:
        """What is to be read now, the most urgent first."""
        now = self._clock.monotonic()
        found = [branch for branch in self._branches.values() if self._due_at(branch) <= now]
        found.sort(key=lambda b: (math.isinf(b.hinted_at), urgency(b.kind), b.read_at))
        return found

    @property
    def next_due_s(self) -> float:
        """Monotonic time of the next reading, a little late so that several come together."""
        return min(map(self._wake_at, self._branches.values()), default=math.inf)

    @property
    def troubles(self) -> list[str]:
        """What could not be read lately, in words."""
        return [
            branch.error
            for branch in self._branches.values()
            if branch.failures and branch.kind is not EndDevice
        ]

    async def read(self, branches: list[Branch]) -> None:
        """Read these branches side by side; one that cannot be read keeps what it had.

        Raises:
            TransientError: the server cannot be reached, or refused to serve all of them.
        """
        trouble = _Trouble()
        waiting = iter(branches)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._workers, len(branches))):
                group.create_task(self._read_each(waiting, trouble))
        if trouble.down is not None:
            raise trouble.down
        if len(trouble.busy) == len(branches) > 1:
            raise max(trouble.busy, key=lambda error: error.retry_after_s or 0.0)

    async def _read_each(self, waiting: Iterator[Branch], trouble: _Trouble) -> None:
        for branch in waiting:
            try:
                await self._read(branch)
            except (PermanentError, TransientError, ProtocolError) as error:
                self._note(branch, error, trouble)
            else:
                trouble.stalls = 0
            if trouble.down is not None:
                return

    def _note(self, branch: Branch, error: Exception, trouble: _Trouble) -> None:
        """Is it the server, or is it this resource? The latter does not stop the others."""
        if isinstance(error, LinkDownError) and not isinstance(error, StalledError):
            trouble.down = error
            return
        self._failed(branch, error)
        if isinstance(error, BusyError):
            trouble.busy.append(error)
        if isinstance(error, StalledError):
            trouble.stalls += 1
            trouble.down = error if trouble.stalls >= self._workers else None

    async def _read(self, branch: Branch) -> None:
        started = self._clock.monotonic()
        document = await self._document(branch)
        told = branch.hinted_at <= started or branch.document is None
        if branch.document is not document:
            self._changed(branch)
            if not told:
                self._changed_unasked(branch.path)
        branch.document, branch.gone, branch.read_at = document, False, started
        branch.failures, branch.error = 0, ""
        if branch.hinted_at <= started:
            branch.hinted_at = math.inf

    async def _document(self, branch: Branch) -> Document[Any]:
        if issubclass(branch.kind, ResourceList):
            return await read_list(
                self._reader, branch.path, branch.kind, self._max_items, branch.document
            )
        return await read_one(self._reader, branch.path, branch.kind, branch.document)

    def _failed(self, branch: Branch, error: Exception) -> None:
        branch.failures += 1
        branch.error, branch.hinted_at = str(error)[:200], math.inf
        _log.info("sep2_branch_unreadable", path=branch.path, error=branch.error)
        wait_s = min(_RETRY_S * 2 ** min(branch.failures - 1, 10), _LONGEST_RETRY_S)
        if isinstance(error, NotVisibleError):
            if branch.document is not None:
                self.hint(branch.parent)  # it may have moved, and its parent knows where to
            if branch.document is None or branch.failures >= _NOT_VISIBLE_TWICE:
                branch.document, branch.gone = None, True
                self._changed(branch)
                wait_s = max(wait_s, _SLOW_RETRY_S)
        elif branch.failures >= _PATIENCE and issubclass(branch.kind, _DISPENSABLE):
            branch.gone = branch.document is None
            self._changed(branch)
        if branch.kind is EndDevice:
            wait_s = self._rate_s(branch)  # the list has shown it; this is only a sign of life
        asked_s = (error.retry_after_s or 0.0) if isinstance(error, BusyError) else 0.0
        wait_s = max(min(wait_s, self._rate_s(branch)), asked_s)
        branch.retry_at = self._clock.monotonic() + wait_s

    def _changed(self, branch: Branch) -> None:
        self._version += 1
        branch.version = self._version

    def _due_at(self, branch: Branch) -> float:
        if not math.isinf(branch.hinted_at):
            return max(branch.hinted_at, branch.read_at + _HINT_GAP_S)
        if branch.failures:
            return branch.retry_at
        return branch.read_at + self._rate_s(branch)

    def _wake_at(self, branch: Branch) -> float:
        due_at = self._due_at(branch)
        if not math.isinf(branch.hinted_at) or branch.failures:
            return due_at
        return due_at + min(_LAG_S, self._rate_s(branch) / 100)

    def _rate_s(self, branch: Branch) -> float:
        content = None if branch.document is None else branch.document.content
        return rate_s(
            branch.kind,
            getattr(content, "poll_rate", None) or branch.inherited,
            override_s=self._poll_s,
            quiet=self._quiet(branch.path),
        )
