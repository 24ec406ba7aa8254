"""How sites were: watched while a VTN wants to know, since nobody could tell afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.openadr.payloads import LoadControlState, LoadControlValue, ResourceStatus
from contracts.time import Clock
from gateway.ports import ReportSource, ResourceState
from gateway.utility.openadr.memory import VenMemory
from gateway.utility.openadr.reports.records import StatusSeen, StatusTrack, Stretch

LOOK_EVERY = timedelta(seconds=1)
_BLIND_AFTER = timedelta(seconds=10)
"""Between looks further apart than this nothing is known."""
_KEPT = 500
"""Stretches of one site; older ones are forgotten."""
_SEEN = "seen"
_HIGHEST_LEVEL = 3.0


def resource_status(state: ResourceState) -> ResourceStatus:
    """A site's state in the words of profile rule 510.

    `oadrCapacity` is the part of the contracted import the site may draw now, `oadrLevelOffset` the
    SIMPLE level it follows; each only when known.
    """
    level = LoadControlValue(
        current=float(state.level), minimum=0.0, maximum=_HIGHEST_LEVEL, normal=0.0
    )
    return ResourceStatus(
        online=state.online,
        manual_override=state.overridden,
        load_control_state=LoadControlState(capacity=_capacity(state), level_offset=level),
    )


def _capacity(state: ResourceState) -> LoadControlValue | None:
    if state.limit_w is None or not state.contracted_w:
        return None
    part = min(1.0, max(0.0, state.limit_w / state.contracted_w))
    return LoadControlValue(current=round(part, 2), minimum=0.0, maximum=1.0, normal=1.0)


class StatusWatch:
    """Looks at the sites now and then, and remembers since when each is as it is."""

    def __init__(
        self, source: ReportSource, memory: VenMemory, clock: Clock, utility_id: str
    ) -> None:
        self._source = source
        self._memory = memory
        self._clock = clock
        self._utility_id = utility_id
        self._tracks: dict[str, StatusTrack] = {}
        self.seen_until: datetime | None = None
        """When the sites were last looked at."""

    async def restore(self) -> None:
        """Take up what a predecessor saw: how things went on after it, nobody knows."""
        seen = (await self._memory.all(StatusSeen)).get(_SEEN)
        self._tracks = await self._memory.all(StatusTrack) if seen else {}
        self.seen_until = seen.at if seen else None

    async def look(self) -> None:
        """Note what has changed; does nothing when the last look was a moment ago."""
        now, seen = self._clock.now(), self.seen_until
        if seen is not None and seen <= now < seen + LOOK_EVERY:
            return
        blind = seen is None or not seen <= now <= seen + _BLIND_AFTER
        for site_id, state in (await self._source.resources(self._utility_id)).items():
            await self._note(site_id, resource_status(state), now, blind=blind)
        self.seen_until = now
        await self._memory.put(_SEEN, StatusSeen(at=now))

    def at(self, site_id: str, instant: datetime) -> ResourceStatus | None:
        """How a site was just before an instant; None when nobody looked."""
        track, seen = self._tracks.get(site_id), self.seen_until
        for stretch in reversed(track.stretches if track else ()):
            until = stretch.until or seen
            if until is not None and stretch.since < instant <= until:
                return stretch.status
        return None

    async def _note(
        self, site_id: str, status: ResourceStatus, now: datetime, *, blind: bool
    ) -> None:
        track = self._tracks.get(site_id, StatusTrack(stretches=()))
        *past, last = track.stretches or (None,)
        if last is not None and last.until is None:
            if last.status == status and not blind:
                return
            last = replace(last, until=self.seen_until if blind else now)
        kept = [one for one in (*past, last) if one is not None]
        kept.append(Stretch(since=now, status=status))
        self._tracks[site_id] = StatusTrack(stretches=tuple(kept[-_KEPT:]))
        await self._memory.put(site_id, self._tracks[site_id])
