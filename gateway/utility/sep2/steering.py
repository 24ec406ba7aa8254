"""From the view of a server to what it imposes on our sites, and the answers it is owed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.sep2.hexes import canonical_mrid
from contracts.time import Clock
from gateway.domain.operating_envelope import EnvelopeStep, OperatingEnvelope
from gateway.ports import EnvelopeIntake, SiteControl
from gateway.utility.sep2 import mapping
from gateway.utility.sep2.bounds import Piece, combined
from gateway.utility.sep2.device_track import LANES, DeviceTrack
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.opting_out import site_controls
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.view import EMPTY, DeviceView, ServerView

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImposedSite:
    """A site on which this utility imposes something, so that it can be lifted some day."""

    site_id: str


class Steering:
    """Every device of one utility: controls in, envelopes and Responses out.

    What holds goes on while the server cannot be reached, to the end of the schedule and then to
    the default (CSIP v2.1 G12). A device the server takes away is lifted from its sites at once.
    """

    def __init__(
        self,
        settings: Sep2Settings,
        envelopes: EnvelopeIntake,
        outbox: Sep2Outbox,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self.also: Callable[[str], Iterable[Piece]] = _nothing
        """What binds a site beside controls and defaults, in the server's time."""
        self._settings = settings
        self._utility_id = settings.utility_id
        self._envelopes = envelopes
        self._outbox = outbox
        self._memory = memory
        self._clock = clock
        profile = mapping.profile(settings)
        self._tracks = {
            one.lfdi: DeviceTrack(one, settings.utility_id, profile, outbox)
            for one in settings.devices
        }
        self._devices_of: dict[str, list[DeviceTrack]] = defaultdict(list)
        for track in self._tracks.values():
            for site_id in track.settings.sites:
                self._devices_of[site_id].append(track)
        self._imposed: set[str] = set()
        self._stale: set[str] = set()
        """Sites whose envelope must be made again."""
        self._imposing = asyncio.Lock()
        self._difference = Difference()

    async def restore(self) -> None:
        """Take up what a predecessor knew; the outbox has been restored before."""
        self._imposed = set(await self._memory.all(ImposedSite))
        ours = {LANES + lfdi for lfdi in self._tracks}
        for lane in self._outbox.states().keys() - ours:
            if lane.startswith(LANES):
                await self._outbox.forget(lane)
        for track in self._tracks.values():
            track.restore()
        self._stale = self._imposed - {s for t in self._tracks.values() for s in t.settings.sites}

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        """Act on what the server shows at its time `server_now`; call it as well when nothing new.

        A site is told as soon as all its devices are worked out: it does not wait for the fleet.

        Returns when to call again at the latest, in the server's time; None: when there is news.

        Raises:
            TransientError: something could not be stored now. Call again: all else is done.
        """
        if self._difference.measured(self._clock.now(), server_now):
            known = (track for track in self._tracks.values() if track.known)
            self._stale.update(site for track in known for site in track.settings.sites)
        postponed: TransientError | None = None
        for lfdi, track in self._tracks.items():
            try:
                if await self._follow(track, view, view.devices.get(lfdi), server_now):
                    self._stale.update(track.settings.sites)
                await self._impose({s for s in track.settings.sites if self._of(s)[-1] is track})
            except TransientError as error:
                postponed = error
        if postponed is not None:
            raise postponed
        await self._impose(self._stale)  # sites that are no device's any more
        looks = (track.next_look for track in self._tracks.values())
        return min((look for look in looks if look is not None), default=None)

    async def renew(self, sites: Sequence[str]) -> None:
        """Impose anew on these sites: what `also` says of them has changed.

        Raises:
            TransientError: it could not be stored now; the next `follow` tries again.
        """
        self._stale.update(sites)
        await self._impose(set(sites))

    def controls(self, site_id: str) -> Sequence[SiteControl]:
        """Controls that bind a site or will, on our clock, in order of time."""
        return site_controls(self._settings, self._of(site_id), site_id, self._difference)

    async def choose(self, control_id: str, site_id: str, *, out: bool) -> bool:
        """Take a site out of a control, or back in; see `gateway.ports.ControlSource`.

        Raises:
            PermanentError: no such control binds the site any more, or nobody may opt out of it.
            TransientError: the server's time is not known yet, or it could not be stored now.
        """
        if not self._difference.known:
            raise TransientError("the time of the utility's server is not known yet")
        mrid = canonical_mrid(control_id)
        control = next((c for c in self.controls(site_id) if c.control_id == mrid), None)
        if control is None:
            raise PermanentError(f"no control {control_id!r} binds site {site_id!r} (any more)")
        if out and control.binding:
            raise PermanentError(control.binding)
        now = self._difference.theirs(self._clock.now())
        changed, concerned = False, set[str]()
        for track in self._of(site_id):
            changed |= await track.choose(mrid, site_id, now, out=out)
            concerned.update(track.settings.sites)
            self._stale.update(track.settings.sites)
        await self._impose(concerned)
        return changed

    def _of(self, site_id: str) -> Sequence[DeviceTrack]:
        return self._devices_of.get(site_id, ())

    async def _follow(
        self, track: DeviceTrack, view: ServerView, shown: DeviceView | None, now: datetime
    ) -> bool:
        if shown is not None:
            track.met()
        elif view is not EMPTY and await track.missed(
            now, absent=track.settings.lfdi in view.absent
        ):
            _log.warning("sep2_device_gone", utility=self._utility_id, lfdi=track.settings.lfdi)
            return True
        return await track.follow(shown, now)

    async def _impose(self, sites: AbstractSet[str]) -> None:
        """Those of the sites that are stale; one at a time, so that the newest comes last.

        After a restart a site waits until all its devices are worked out: a part of what binds it
        would be looser than what it has.
        """
        postponed: TransientError | None = None
        async with self._imposing:
            ready = (s for s in self._stale & sites if all(t.worked_out for t in self._of(s)))
            for site_id in sorted(ready):
                self._stale.discard(site_id)
                try:
                    await self._impose_on(site_id)
                except TransientError as error:
                    self._stale.add(site_id)
                    postponed = error
                except PermanentError as error:
                    _log.error("sep2_envelope_refused", site=site_id, error=str(error))
        if postponed is not None:
            raise postponed

    async def _impose_on(self, site_id: str) -> None:
        """One envelope per site, whatever number of devices it is to the utility."""
        steps = self._steps(site_id)
        if not steps and site_id not in self._imposed:
            return
        if steps and site_id not in self._imposed:
            await self._memory.put(site_id, ImposedSite(site_id=site_id))
            self._imposed.add(site_id)
        await self._envelopes.impose(
            OperatingEnvelope(utility_id=self._utility_id, site_id=site_id, steps=steps)
        )
        if not steps:
            await self._memory.drop(ImposedSite, [site_id])
            self._imposed.discard(site_id)

    def _steps(self, site_id: str) -> tuple[EnvelopeStep, ...]:
        ours = self._difference.ours
        pieces = [replace(one, interval=ours(one.interval)) for one in self.also(site_id)]
        for track in self._of(site_id):
            found = track.pieces(site_id)
            pieces += [replace(one, interval=ours(one.interval, track.at)) for one in found]
        return combined(pieces)


def _nothing(site_id: str) -> tuple[Piece, ...]:
    del site_id
    return ()
