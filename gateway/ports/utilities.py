"""What utility adapters need of the gateway, and what they are to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.reading import Reading
from contracts.site_link.messages import (
    Notice,
)
from contracts.time import Interval
from gateway.domain.completeness import Duty
from gateway.domain.event import GridEvent, OptDecision
from gateway.domain.operating_envelope import OperatingEnvelope


class UtilityMemory(Protocol):
    """What a utility adapter must remember over a restart: JSON documents by kind and key."""

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        """Every document of this kind, by key."""
        ...

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        """Write or replace one document; durable when it returns."""
        ...

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        """Delete one document if it is there."""
        ...


class EventIntake(Protocol):
    """Where utility adapters hand in what they were asked (implemented by `flows.intake`)."""

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        """Take new, modified or cancelled events; the answers by event key.

        Idempotent: the same modification again gives the stored answer and has no other effect,
        unless it was cancelled or withdrawn in between: then it is in force again.
        One event's failure never changes the answer to another.
        """
        ...

    async def withdraw(self, event_key: str, cause: str) -> None:
        """The utility no longer lists this event: cancel it (unknown or over: nothing happens)."""
        ...

    async def note(self, event_key: str, action: str, cause: str) -> None:
        """Write down what a utility was told about an event, or why it could not be taken.

        The same twice running is written once.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventParticipation:
    """Who takes part in an event."""

    program_id: str
    decision: OptDecision
    """Our answer as it stands; a person may have changed it since the utility was told."""
    addressed: frozenset[str]
    """Sites the event is for."""
    out: Mapping[str, str]
    """Sites taken out of it since, with the cause."""

    @property
    def all_out(self) -> bool:
        """Whether nobody is left."""
        return bool(self.addressed) and self.addressed <= self.out.keys()


class Participation(Protocol):
    """Who may be addressed, and who has left an event (implemented by `flows.participation`)."""

    @property
    def names(self) -> frozenset[str]:
        """Every site and group a utility may address."""
        ...

    async def of_event(self, event_key: str) -> EventParticipation | None:
        """Who takes part in an event; None when it is unknown."""
        ...

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take one site out of one event and plan again; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        ...


class EnvelopeIntake(Protocol):
    """Where utility adapters hand in what binds a site (implemented by `flows.envelopes`)."""

    async def impose(self, envelope: OperatingEnvelope) -> None:
        """From now on this is what the envelope's utility imposes on its site.

        Replaces what the same utility imposed before; no steps lifts it. Idempotent: the same
        again has no effect. Durable when it returns, and delivered when the site can be reached.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityHealth:
    """How the way to one utility is, for people and for `/readyz`."""

    utility_id: str
    protocol: str
    connected: bool
    detail: str
    last_contact_at: datetime | None


class UtilityLink(Protocol):
    """One utility, whatever it speaks (implemented by each adapter under `utility/`)."""

    @property
    def health(self) -> UtilityHealth:
        """How it is right now."""
        ...

    @property
    def duties(self) -> Sequence[Duty]:
        """What it is to have of our telemetry, and how far it has been told."""
        ...

    async def run(self) -> None:
        """Keep talking to the utility until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPoint:
    """A series a utility may ask for: the portfolio's or one site's."""

    point_id: str
    """Stable id: `portfolio/power_w`, `site/<site_id>/power_w`."""
    site_id: str | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """A site at present, for status reports to utilities."""

    online: bool
    readings: Mapping[str, Reading]
    """The newest reading of every point of `contracts.site_link.points`, however old."""


class SiteStates(Protocol):
    """What utilities may be told of a site's state (implemented by `flows.upstream_reports`)."""

    def state(self, site_id: str) -> SiteState:
        """A site at present.

        Raises:
            KeyError: no such site.
        """
        ...

    async def notices(self, window: Interval) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` raised or cleared in a window of time, in order."""
        ...


class UsageSource(Protocol):
    """Measured data for reports to utilities (implemented by `flows.upstream_reports`)."""

    async def points(self) -> Sequence[ReportPoint]:
        """What can be reported."""
        ...

    async def usage(self, point_id: str, interval: Interval) -> Reading:
        """Mean power over a closed interval in W, with its quality; value None when unknown.

        Beside what `points` lists: `site/<site_id>/<point>` for every power of a site
        (`charging_power_w`, `battery_power_w`, `pv_power_w`).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """A site as one utility may see it right now."""

    online: bool
    overridden: bool
    """Opted out of an event of this utility that runs now."""
    level: int = 0
    """SIMPLE level it follows for this utility, 0 (normal) to 3."""
    limit_w: float | None = None
    """Tightest import limit in force at the site, W; None: not known."""
    contracted_w: float | None = None
    """Import it may draw normally, W."""


class ReportSource(Protocol):
    """Measured data and states for reports (implemented by `flows.resource_reports`)."""

    async def points(self) -> Sequence[ReportPoint]:
        """What can be reported."""
        ...

    def known_until(self, point_id: str) -> datetime | None:
        """Up to when everything measured has come in; None: nothing is being waited for."""
        ...

    async def means(self, point_id: str, pieces: Sequence[Interval]) -> Sequence[Reading]:
        """Mean power in W over each of these closed, consecutive intervals, with its quality.

        A value is None where too little is known.
        """
        ...

    async def resources(self, utility_id: str) -> Mapping[str, ResourceState]:
        """Every site at present, by id, as this utility may see it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteControl:
    """A utility's control that binds one site or will, which the site may opt out of."""

    utility_id: str
    control_id: str
    site_id: str
    window: Interval
    """As asked, before randomisation and other controls."""
    running: bool
    """Whether it has begun."""
    asks: str
    """Every mode with its value, in words."""
    opted_out: bool
    """The site takes no part at present."""
    binding: str
    """Why nobody may opt out of it; empty: the site may."""


class ControlSource(Protocol):
    """Controls of one utility, as long as they bind or may bind a site."""

    @property
    def utility_id(self) -> str:
        """Whose they are."""
        ...

    def controls(self, site_id: str) -> Sequence[SiteControl]:
        """Those of one site, in order of time."""
        ...

    async def choose(self, control_id: str, site_id: str, *, out: bool) -> bool:
        """Take a site out of a control, or back in; whether that was a change.

        Durable when it returns. The site is told, and the utility where it wants to know.

        Raises:
            PermanentError: no such control binds the site any more, or nobody may opt out of it.
            TransientError: it cannot be done right now.
        """
        ...
