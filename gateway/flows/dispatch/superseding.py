"""Written down: at which sites, and until when, a stronger event is in force instead of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.time import Interval
from gateway.domain.conflict import instead_of
from gateway.flows.dispatch.situation import Situation
from gateway.ports import JournalEntry, Ledger

SUPERSEDED, BACK = "superseded", "in force again"


class Superseding:
    """Of all events; after a restart the journal tells what was written last."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._said: dict[str, str] = {}

    async def look(self, seen: Situation) -> None:
        """Write down what has changed since the last look.

        Raises:
            TransientError: the journal cannot be read or written now.
        """
        key = seen.event.key
        if not seen.wanted:
            return
        if key not in self._said:
            self._said[key] = _last(await self._ledger.journal(key))
        words = _words(seen)
        if words == self._said[key]:
            return
        cause = words or "no stronger event takes its place any more"
        action = SUPERSEDED if words else BACK
        await self._ledger.log(_entry(seen.now, key, action, cause))
        self._said[key] = words

    def keep_only(self, event_keys: set[str]) -> None:
        """Forget, in memory, events that are out of view."""
        self._said = {key: said for key, said in self._said.items() if key in event_keys}


def _words(seen: Situation) -> str:
    rest = seen.event.window.intersection(Interval(start=seen.now, end=None))
    if rest is None or seen.program is None:
        return ""
    sites = frozenset(site.site_id for site in seen.sites) - seen.stored.opted_out_sites
    return instead_of(seen.program, sites, rest, seen.rivalry.stronger, seen.rivalry.entries)


def _last(journal: Sequence[JournalEntry]) -> str:
    """What stands in the journal; empty when nothing supersedes the event."""
    turns = [one for one in journal if one.action in (SUPERSEDED, BACK)]
    return turns[-1].cause if turns and turns[-1].action == SUPERSEDED else ""


def _entry(at: datetime, key: str, action: str, cause: str) -> JournalEntry:
    return JournalEntry(at=at, subject=key, action=action, cause=cause)
