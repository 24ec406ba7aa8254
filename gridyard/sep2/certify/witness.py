"""What was seen and sent while the utility's operator acted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from contracts.errors import ProtocolError
from contracts.sep2 import codec
from contracts.sep2.hexes import canonical_lfdi, canonical_mrid
from contracts.sep2.resources import DERControl, DERControlResponse, Notification
from contracts.time import Clock
from gateway.domain.operating_envelope import OperatingEnvelope
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.view import ServerView
from gridyard.sep2.certify.bench import Exchanged, Trace
from gridyard.sep2.certify.picture import Picture, of_view

CAUGHT_UP_AT_LATEST = timedelta(seconds=20)
"""From the first view on. What is not seen by then (a device with a wrong PIN) is no news."""
_NONE = timedelta(0)
Kind = Literal["default", "primacy", "programs", "added", "gone", "notified", "ended"]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Something that has happened beside controls."""

    kind: Kind
    what: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A Response of ours to a control, and what the server made of it."""

    code: int
    exchange: Exchanged


@dataclass(slots=True, kw_only=True)
class Seen:
    """One control at one device, from its first sight on."""

    lfdi: str
    site: str
    program: str
    key: tuple[int, str]
    """The order of its program: the lower goes before."""
    control: DERControl
    at: datetime
    """When it was first seen, in the server's time."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For people: which control at which site."""
        return f"{self.control.description or self.control.canonical_mrid} at {self.site}"

    @property
    def start_at_latest(self) -> datetime:
        """With the whole random part."""
        late = max(self.control.randomize_start or _NONE, _NONE)
        return max(self.control.interval.start, self.at) + late

    @property
    def end_at_latest(self) -> datetime:
        """With the whole random part."""
        window = self.control.interval
        late = max(self.control.randomize_start or _NONE, _NONE)
        late += max(self.control.randomize_duration or _NONE, _NONE)
        return window.start + window.duration + late

    @property
    def codes(self) -> tuple[int, ...]:
        """Of the Responses that the server has taken, in order."""
        return tuple(one.code for one in self.answers if one.exchange.status < _BAD_REQUEST)


_BAD_REQUEST = 400


class Witness:
    """Compares every view with what was there before, and notes answers and Notifications."""

    def __init__(
        self, settings: Sep2Settings, before: Picture, trace: Trace, clock: Clock, say: Say
    ) -> None:
        self._sites = {one.lfdi: " + ".join(one.sites) for one in settings.devices}
        self._edition = settings.edition
        self._before = before
        self._trace = trace
        self._clock = clock
        self._say = say
        self._picture: Picture | None = None
        self._first_view_at: datetime | None = None
        self._heard: list[tuple[datetime, str]] = []
        self._looked_at = 0
        self._imposed: dict[str, OperatingEnvelope] = {}
        self._told: dict[str, str] = {}
        self._seen: dict[tuple[str, str], Seen] = {}
        self.sights: list[Sight] = []
        self.early: list[Answer] = []
        """Answers to controls that were there before."""
        self.news = asyncio.Event()
        self.caught_up = asyncio.Event()

    @property
    def controls(self) -> Sequence[Seen]:
        """Every new control at every device, in order of sight."""
        return tuple(self._seen.values())

    @property
    def keeps_what_is_unlisted(self) -> bool:
        """Whether a control that is no longer listed goes on (2018), or is cancelled (2023)."""
        return self._edition == "2018"

    @property
    def knew_controls(self) -> bool:
        """Whether there were controls before, which are not looked at here."""
        return any(program.controls for program in self._before.programs.values())

    def lists(self, lfdi: str) -> bool:
        """Whether the server shows a device."""
        return self._picture is not None and lfdi in self._picture.devices

    # --- what the server shows -----------------------------------------------------------------

    def look(self, view: ServerView, now: datetime) -> None:
        """Take in a view at the server's time."""
        picture = of_view(view)
        self._first_view_at = self._first_view_at or now
        if not self.caught_up.is_set():
            whole = picture.covers(self._before)
            if not whole and now - self._first_view_at < CAUGHT_UP_AT_LATEST:
                return
            self._picture = self._before if whole else picture
            self.caught_up.set()
        if self._picture is not None:
            for sight in _changes(self._picture, picture, self._sites, now):
                self._note(sight)
        self._picture = picture
        self._take_up(view, now)
        self.news.set()

    def _take_up(self, view: ServerView, now: datetime) -> None:
        for lfdi, device in view.devices.items():
            for program in device.programs:
                known = self._before.programs.get(program.program.canonical_mrid)
                old = frozenset[str]() if known is None else known.controls
                for control in program.controls:
                    key = lfdi, control.canonical_mrid
                    if control.canonical_mrid in old:
                        continue
                    if key in self._seen:
                        self._seen[key].control = control
                        continue
                    name = program.program.description or program.program.canonical_mrid
                    found = Seen(
                        lfdi=lfdi,
                        site=self._sites[lfdi],
                        program=name,
                        key=program.key,
                        control=control,
                        at=now,
                    )
                    self._seen[key] = found
                    self._say(f"control {found.name} of {name} seen: {described(control)}")

    def _note(self, sight: Sight) -> None:
        self.sights.append(sight)
        self._say(sight.what)

    # --- what we do ----------------------------------------------------------------------------

    async def impose(self, envelope: OperatingEnvelope) -> None:
        """`EnvelopeIntake`: no site is touched."""
        self._imposed[envelope.site_id] = envelope
        self._tell(envelope.site_id)

    def _tell(self, site: str) -> None:
        """What holds there now, if it is something else than before."""
        step = self._imposed[site].at(self._clock.now())
        held = "nothing" if step is None else step.cause
        if self._told.get(site) != held:
            self._told[site] = held
            self._say(f"would be in force at {site}: {held}")

    def heard(self, notification: Notification, path: str) -> None:
        """A Notification has come in."""
        now = self._clock.now()
        if notification.status:
            what = f"Notification of {path}: status {notification.status}, the Subscription ended"
            self._note(Sight(kind="ended", what=what, at=now))
        else:
            self._heard.append((now, path))
            self._say(f"Notification of {path}")
        self.news.set()

    def catch_up(self) -> None:
        """Take in what has gone over the wire since the last call."""
        first = max(self._looked_at - self._trace.dropped, 0)
        fresh = self._trace.exchanges[first:]
        self._looked_at = self._trace.dropped + len(self._trace.exchanges)
        for exchange in fresh:
            if exchange.method == "POST":
                self._answered(exchange)
            elif exchange.method == "GET":
                self._read_again(exchange)

    def _answered(self, exchange: Exchanged) -> None:
        try:
            response = codec.decode(exchange.body, DERControlResponse)
        except ProtocolError:
            return
        answer = Answer(code=response.status or 0, exchange=exchange)
        key = canonical_lfdi(response.end_device_lfdi), canonical_mrid(response.subject)
        seen = self._seen.get(key)
        if seen is None:
            self.early.append(answer)
            return
        seen.answers.append(answer)
        self._say(f"Response {answer.code} to {seen.name}: {outcome(exchange)}")
        for site in self._imposed:
            self._tell(site)

    def _read_again(self, exchange: Exchanged) -> None:
        for told in [one for one in self._heard if one[1] == exchange.path]:
            if exchange.at >= told[0]:
                self._heard.remove(told)
                what = f"{told[1]} read again after its Notification"
                self._note(Sight(kind="notified", what=what, at=exchange.at))


def outcome(exchange: Exchanged) -> str:
    """The answer to a POST, for people."""
    return f"{exchange.status}, Location {exchange.location or 'missing'}"


def described(control: DERControl) -> str:
    """When and what, for people."""
    window, modes = control.interval, ", ".join(control.der_control_base.modes)
    lasts = f"{window.start:%H:%M:%S} for {window.duration.total_seconds():g} s"
    return f"{lasts}, {modes or 'no mode'}, responseRequired {control.response_required:02X}"


def _changes(
    before: Picture, after: Picture, sites: Mapping[str, str], now: datetime
) -> Iterator[Sight]:
    """What is different, in words."""
    for lfdi in before.devices.keys() - after.devices.keys():
        yield Sight(kind="gone", what=f"{sites[lfdi]} is no longer listed", at=now)
    for lfdi in after.devices.keys() - before.devices.keys():
        yield Sight(kind="added", what=f"{sites[lfdi]} is listed now", at=now)
    for lfdi in before.devices.keys() & after.devices.keys():
        if before.devices[lfdi] != after.devices[lfdi]:
            names = sorted(after.programs[mrid].name for mrid in after.devices[lfdi])
            what = f"{sites[lfdi]} has other programs: {', '.join(names) or 'none'}"
            yield Sight(kind="programs", what=what, at=now)
    for mrid in before.programs.keys() & after.programs.keys():
        old, new = before.programs[mrid], after.programs[mrid]
        if old.primacy != new.primacy:
            what = f"primacy of {new.name}: {old.primacy} -> {new.primacy}"
            yield Sight(kind="primacy", what=what, at=now)
        if old.default != new.default:
            yield Sight(kind="default", what=f"another default of {new.name}", at=now)
