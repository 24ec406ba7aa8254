"""Settings of one VEN against one utility's VTN."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    HttpUrl,
    UrlConstraints,
    model_validator,
)

from contracts.config import Settings
from contracts.openadr.payloads import Availability
from contracts.openadr.tolerance import EVERY_TOLERANCE, Tolerance
from contracts.time import Interval

_REASONS = (
    "^(economic|emergency|mustRun|notParticipating|outageRunStatus|overrideStatus|participating"
    "|x-.{1,60})$"
)
Seconds = Annotated[float, Field(gt=0, le=86_400)]
HttpsUrl = Annotated[HttpUrl, UrlConstraints(allowed_schemes=["https"], host_required=True)]
Fingerprint = Annotated[
    str, Field(pattern=r"^([0-9A-Fa-f]{2}:){9}[0-9A-Fa-f]{2}$"), AfterValidator(str.upper)
]
"""The last 10 bytes of a certificate's SHA-256 as `AB:CD:...`."""


def _several(value: object) -> object:
    """One may stand without a list around it."""
    return (value,) if isinstance(value, str) else value


class VenListenerSettings(Settings):
    """Our own HTTPS server, to which a VTN posts in the push model."""

    host: str = "0.0.0.0"  # noqa: S104 (the utility calls from outside; certificates decide)
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8444
    """0 takes any free port."""
    url: HttpsUrl
    """Sent as oadrTransportAddress: our base address as the VTN can reach it, for example
    `https://ven.example.com:8444/OpenADR2/Simple/2.0b`."""
    cert: Path | None = None
    """Certificate of this server; none: the VEN's own."""
    key: Path | None = None
    """Its private key."""
    resync_s: Seconds = 900.0
    """How often the events are asked for besides, in case a push was lost."""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert is None) is not (self.key is None):
            raise ValueError("cert, key: give both or none")
        return self


class SpanSettings(Settings):
    """One span of a schedule."""

    start: AwareDatetime
    duration: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]
    """Seconds, or ISO 8601 such as `PT8H`."""

    @property
    def interval(self) -> Interval:
        """When."""
        return Interval.lasting(self.start, self.duration)

    @property
    def availability(self) -> Availability:
        """As OpenADR's `available`."""
        return Availability(start=self.start, duration=self.duration)


class UnavailableSettings(Settings):
    """Times in which a site, or the whole portfolio, takes no part.

    Told to the VTN as an opt-out schedule (EiOpt `vavailability`), and kept to: the site is taken
    out of events that fall into them.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    """Take the entry out to cancel the schedule."""
    site_id: str | None = None
    """None: the whole portfolio."""
    spans: Annotated[tuple[SpanSettings, ...], Field(min_length=1, max_length=366)]
    market_context: str | None = None
    """Only for events of this one; none: of any."""
    reason: Annotated[str, Field(pattern=_REASONS)] = "notParticipating"
    """An `optReason`, or `x-...`."""

    def over(self, now: datetime) -> bool:
        """Whether every span has passed."""
        return all(span.start + span.duration <= now for span in self.spans)


class OpenAdrSettings(Settings):
    """How to reach and answer one OpenADR 2.0b VTN."""

    utility_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    url: HttpsUrl
    """Base address, for example `https://vtn.example.com/OpenADR2/Simple/2.0b`."""
    ven_name: Annotated[str, Field(min_length=1, max_length=120)]
    ven_id: str | None = None
    """Set it when the utility gave one beforehand."""
    registered: bool = True
    """False: cancel the registration with the VTN and stay away."""
    market_contexts: frozenset[str] = frozenset()
    """Those we are enrolled in: events of others are answered 452; none: any."""
    ca: Path
    """Root of the utility's certificates."""
    cert: Path
    """Shown to the VTN, and signed with; RSA from 2048 or EC from 256 bits when signing."""
    key: Path
    """Its private key."""
    sign: bool = False
    """Whether our messages carry an XML signature (profile rule 514)."""
    accept_unsigned: bool | None = None
    """Whether messages of the VTN need no signature; none: they need one when we sign."""
    vtn_fingerprint: Annotated[tuple[Fingerprint, ...], BeforeValidator(_several)] = ()
    """Fingerprint of the VTN's certificate, told by the utility by another way; two while the
    certificate changes. Needed where signatures are, and by `listener`."""
    max_message_age_s: Seconds = 300.0
    """A signed message that is older is refused."""
    max_clock_ahead_s: Seconds = 60.0
    """So far may the VTN's clock be ahead of ours before its signed messages are refused."""
    tolerances: frozenset[Tolerance] = EVERY_TOLERANCE
    """Departures from the profile that this VTN is allowed; each use is logged."""
    listener: VenListenerSettings | None = None
    """Set it for the push model; none: we poll."""
    timeout_s: Seconds = 10.0
    """Time limit of one request, from connecting to the last byte of the answer."""
    poll_s: Seconds | None = None
    """Overrides the frequency the VTN asks for; leave unset in production."""
    unavailable: tuple[UnavailableSettings, ...] = ()
    """Schedules of times in which sites take no part."""
    drain: bool = True
    """Whether to poll again at once until the VTN has nothing more; False: one message a poll."""
    max_backoff_s: Seconds = 300.0
    """Longest wait between two attempts to reach a VTN in trouble."""
    report_min_granularity_s: Seconds = 2.0
    """Finest sampling offered for TELEMETRY_USAGE."""
    report_wait_s: Annotated[float, Field(ge=0, le=86_400)] = 30.0
    """So long is data waited for that a site has not sent yet, before a report goes without it."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [one.name for one in self.unavailable]
        if len(names) != len(set(names)):
            raise ValueError("unavailable: a name is used twice")
        return self

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.expects_signatures and not self.vtn_fingerprint:
            raise ValueError("vtn_fingerprint: signed messages are expected, but whose?")
        if self.listener is not None and not self.vtn_fingerprint:
            raise ValueError("vtn_fingerprint: listener needs to know who may call")
        return self

    @property
    def expects_signatures(self) -> bool:
        """Whether an unsigned message of the VTN is refused."""
        return self.sign if self.accept_unsigned is None else not self.accept_unsigned
