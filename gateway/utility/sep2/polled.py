"""Resources beside the DER programs, read again as often as their server asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from contracts.errors import PermanentError, ProtocolError
from contracts.sep2.resources import DEFAULT_POLL_RATE, Link, Resource, ResourceList
from contracts.time import Clock
from gateway.utility.sep2.paging import Document, read_list
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport

_log = structlog.get_logger(__name__)
AT_MOST_EVERY_S = 10.0
AT_LEAST_EVERY_S = 900.0
"""Events must be looked for so often (IEEE 2030.5-2018, 10.2.3.3 a)."""
_MANY, _UNUSED_S = 5000, 3600.0
WantedList = TypeVar("WantedList", bound=ResourceList)
Wanted = TypeVar("Wanted", bound=Resource)


@dataclass(slots=True)
class _Kept:
    due_at_s: float
    used_at_s: float = 0.0
    document: Document[Any] | None = None


class Polled:
    """Lists by path, as last read; one of them at most every `AT_MOST_EVERY_S`."""

    def __init__(self, settings: Sep2Settings, transport: Sep2Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self.unread = 0
        """Counts lists that were asked for and cannot be had: what they hold is not known."""
        self._lists: dict[str, _Kept] = {}
        self._others: dict[str, Resource] = {}
        self._missing: dict[str, float] = {}

    def path(self, link: Link | None, base: str) -> str | None:
        """Where a link found at `base` leads; None without one, or when it leads astray."""
        try:
            return None if link is None else self._transport.server.resolve(link.href, base)
        except ProtocolError as error:
            _log.warning("sep2_link_refused", base=base, error=str(error))
            return None

    async def items(
        self,
        path: str | None,
        kind: type[WantedList],
        rate: timedelta | None = None,
        *,
        fixed: bool = False,
    ) -> WantedList | None:
        """A list, read again if it is due by its own pollRate, else by `rate`; never if `fixed`.

        None where there is none. One that cannot be read now stays as it was.

        Raises:
            TransientError: the server cannot be reached now.
        """
        if path is None:
            return None
        now = self._clock.monotonic()
        kept = self._lists.setdefault(path, _Kept(due_at_s=now))
        kept.used_at_s = now
        if kept.due_at_s <= now:
            before: Document[WantedList] | None = kept.document
            try:
                document = await read_list(
                    self._transport, path, kind, self._settings.max_list_items, before
                )
            except (PermanentError, ProtocolError) as error:
                _log.warning("sep2_list_unreadable", path=path, error=str(error))
                kept.due_at_s = now + self._rate_s(None)
            else:
                kept.document = document
                wait_s = self._rate_s(document.content.poll_rate or rate)
                kept.due_at_s = math.inf if fixed else now + wait_s
                self._forget_unused(now)
        content = None if kept.document is None else kept.document.content
        if not isinstance(content, kind):
            self.unread += 1
            return None
        return content

    async def once(self, path: str | None, kind: type[Wanted]) -> Wanted | None:
        """A resource that does not change: read at the first call only.

        Raises:
            TransientError: the server cannot be reached now.
        """
        if path is None:
            return None
        now = self._clock.monotonic()
        if path not in self._others and self._missing.get(path, now) <= now:
            try:
                self._others[path] = await self._transport.get(path, kind)
            except (PermanentError, ProtocolError) as error:
                _log.warning("sep2_resource_unreadable", path=path, error=str(error))
                self._missing[path] = now + AT_LEAST_EVERY_S
        found = self._others.get(path)
        return found if isinstance(found, kind) else None

    def _forget_unused(self, now: float) -> None:
        """Lists of past days are never asked for again."""
        if len(self._lists) > _MANY:
            oldest = now - _UNUSED_S
            self._lists = {p: one for p, one in self._lists.items() if one.used_at_s >= oldest}

    def _rate_s(self, rate: timedelta | None) -> float:
        if self._settings.poll_s is not None:
            return self._settings.poll_s
        wanted_s = (rate or DEFAULT_POLL_RATE).total_seconds()
        return min(AT_LEAST_EVERY_S, max(AT_MOST_EVERY_S, wanted_s))
