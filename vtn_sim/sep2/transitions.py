"""Changes that come with time alone: events that begin and lists that get shorter."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from contracts.tasks import first_of
from vtn_sim.sep2.events import EventBook, SpecT
from vtn_sim.sep2.subscriptions import Topic
from vtn_sim.sep2.utility import Utility

_LONGEST = timedelta(hours=1)


class Transitions:
    """Tells subscribers when the status of an event changes by itself."""

    def __init__(self, utility: Utility) -> None:
        self._utility = utility
        self._news = asyncio.Event()
        utility.listen(self._heard)

    def _heard(self, topic: Topic) -> None:
        self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        seen = self._utility.now()
        while True:
            now = self._utility.now()
            for topic in self._between(seen, now):
                self._utility.changed(topic)
            seen = now
            self._news.clear()
            wait_s = (self._next(now) - now).total_seconds()
            await first_of(self._utility.clock.sleep(wait_s), self._news.wait())

    def _next(self, now: datetime) -> datetime:
        books = (
            self._utility.controls.next_change(now),
            self._utility.load_controls.next_change(now),
        )
        return min((one for one in books if one is not None), default=now + _LONGEST)

    def _between(self, seen: datetime, now: datetime) -> list[Topic]:
        utility = self._utility
        controls = _changed(utility.controls, seen, now)
        loads = _changed(utility.load_controls, seen, now)
        topics: list[Topic] = []
        for name in controls:
            number = str(utility.groups.programs.get(name).number)
            topics += [("DERControlList", number), ("ActiveDERControlList", number)]
        for name in loads:
            number = str(utility.groups.load_programs.get(name).number)
            topics += [("EndDeviceControlList", number), ("ActiveEndDeviceControlList", number)]
        return topics


def _changed(book: EventBook[SpecT], seen: datetime, now: datetime) -> set[str]:
    """Programs with an event that began or left the list since."""
    return {
        event.spec.program
        for event in book.all()
        for moment in book.moments(event)
        if seen < moment <= now
    }
