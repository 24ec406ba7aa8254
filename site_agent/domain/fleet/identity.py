"""Who is at the plug: from what a charger presents to the vehicle, its driver, and the reason.

An id tag is personal data: log `hinted(tag)`, never the tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum

NO_AUTHORIZATION = "NoAuthorization"
"""Token type of a start by button or by the cable alone (OCPP 2.0.1 part 2, IdTokenEnumType)."""
_SEPARATORS = re.compile(r"[^0-9A-Za-z]")
_AUTOCHARGE = re.compile(r"VID:(?P<mac>[0-9A-Za-z:-]{1,40})", re.IGNORECASE)
_CONTRACT_LENGTH = 14
"""Characters of an eMAID without its check digit (ISO 15118-2:2014, annex H.1)."""
_HINT = 4


class Kind(StrEnum):
    """What a credential is."""

    EMAID = "contract"
    VIN = "VIN"
    EVCCID = "EVCCID"
    TAG = "card"


KIND_OF_TYPE: Mapping[str, Kind] = {
    "emaid": Kind.EMAID,
    "macaddress": Kind.EVCCID,
    "evccid": Kind.EVCCID,
    "vin": Kind.VIN,
}
"""By token type in lower case; every other type is a card, a key code or an app's word for one."""


class Evidence(StrEnum):
    """What a vehicle was known by, the strongest first."""

    CONTRACT = "contract certificate"
    VEHICLE = "VIN or EVCCID"
    VEHICLE_CARD = "vehicle card"
    DRIVER_CARD = "driver card"
    BAY = "bay"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a charger has told about the one at its plug; None: not told.

    Later facts are added with `joined`.
    """

    token: str | None = field(default=None, repr=False)
    token_type: str | None = None
    """As OCPP 2.0.1 spells it; None in 1.6, which knows none."""
    emaid: str | None = field(default=None, repr=False)
    """From a contract certificate."""
    certificate: str | None = None
    """The contract certificate's serial number."""
    vin: str | None = field(default=None, repr=False)
    evccid: str | None = field(default=None, repr=False)
    """The vehicle's own address: a MAC, or an ISO 15118-20 EVCCID."""

    @property
    def bare(self) -> bool:
        """Whether nobody has shown anything: a start by button or cable."""
        return not any(credentials(self))

    def contradicts(self, later: Presented) -> bool:
        """Whether `later` must be about somebody else: another card, or another vehicle."""
        mine, theirs = dict(_facts(self)), dict(_facts(later))
        return any(mine[name] != text for name, text in theirs.items() if name in mine)

    def joined(self, later: Presented) -> Presented:
        """Both; what contradicts replaces everything."""
        if self.contradicts(later):
            return later
        told = {one.name: getattr(later, one.name) for one in fields(later)}
        if self.token and not later.token:
            told["token_type"] = None
        return replace(self, **{name: value for name, value in told.items() if value is not None})


def _facts(presented: Presented) -> Iterator[tuple[Kind, str]]:
    """What can be only one thing at a time."""
    told = (
        (Kind.TAG, presented.token),
        (Kind.EMAID, presented.emaid),
        (Kind.VIN, presented.vin),
        (Kind.EVCCID, presented.evccid),
    )
    return ((kind, normal(kind, text)) for kind, text in told if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A card, contract or vehicle address that the site knows, and whose it is."""

    vehicle: str | None = None
    driver: str | None = None
    group: str | None = None
    """Cards of one group may stop each other's transactions."""
    valid_until: datetime | None = None
    blocked: bool = False
    evses: frozenset[str] | None = None
    """Where it may charge; None: everywhere."""
    text: str = field(default="", repr=False)
    """As the settings spell it, for chargers that compare letter by letter."""
    token_type: str | None = None
    """As OCPP 2.0.1 spells it, of a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is at one EVSE, as far as the site knows."""

    presented: Presented = field(default_factory=Presented)
    vehicle: str | None = None
    driver: str | None = None
    group: str | None = None
    bay: str | None = None
    """The vehicle whose place this EVSE is."""
    evidence: Evidence = Evidence.NONE
    """What `vehicle` was known by."""
    conflicts: tuple[str, ...] = ()
    """What points to another vehicle, in words a person may read."""


Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What the site knows of vehicles, drivers and bays."""

    credentials: Mapping[Key, Credential] = field(default_factory=dict)
    """By kind and `normal` spelling."""
    drives: Mapping[str, str] = field(default_factory=dict)
    """A driver's usual vehicle."""
    bays: Mapping[str, str] = field(default_factory=dict)
    """EVSE to the vehicle whose place it is."""

    def found(self, presented: Presented) -> Iterator[tuple[Kind, Credential]]:
        """Every known credential among what was presented, the strongest evidence first."""
        for kind, text in credentials(presented):
            known = self.credentials.get((kind, text))
            if known is not None:
                yield kind, known

    def identify(self, presented: Presented, evse_id: str) -> Identity:
        """Who it is. The strongest evidence wins; what contradicts it is told as a conflict."""
        found, bay = list(self.found(presented)), self.bays.get(evse_id)
        drivers = [one.driver for _, one in found if one.driver is not None]
        groups = [one.group for _, one in found if one.group is not None]
        claims = list(self._claims(found, drivers, bay))
        evidence, vehicle = claims[0] if claims else (Evidence.NONE, None)
        return Identity(
            presented=presented,
            vehicle=vehicle,
            driver=drivers[0] if drivers else None,
            group=groups[0] if groups else None,
            bay=bay,
            evidence=evidence,
            conflicts=tuple(
                f"{weaker} says {other}, {evidence} says {vehicle}"
                for weaker, other in claims[1:]
                if other != vehicle
            ),
        )

    def _claims(
        self, found: list[tuple[Kind, Credential]], drivers: list[str], bay: str | None
    ) -> Iterator[tuple[Evidence, str]]:
        """Every vehicle that something points to, the strongest evidence first."""
        for kind, one in found:
            if one.vehicle is not None:
                yield _EVIDENCE[kind], one.vehicle
        for driver in drivers:
            if driver in self.drives:
                yield Evidence.DRIVER_CARD, self.drives[driver]
        if bay is not None:
            yield Evidence.BAY, bay


_EVIDENCE: Mapping[Kind, Evidence] = {
    Kind.EMAID: Evidence.CONTRACT,
    Kind.VIN: Evidence.VEHICLE,
    Kind.EVCCID: Evidence.VEHICLE,
    Kind.TAG: Evidence.VEHICLE_CARD,
}


def credentials(presented: Presented) -> Iterator[Key]:
    """What was presented in its `normal` spelling, the strongest evidence first.

    A token whose type is not told (1.6) may be anything, so it is looked up as everything.
    """
    told = {
        Kind.EMAID: presented.emaid,
        Kind.VIN: presented.vin,
        Kind.EVCCID: presented.evccid,
    }
    token, kinds = presented.token, _token_kinds(presented.token_type)
    for kind in Kind:
        texts = (told.get(kind), token if kind in kinds else None)
        yield from dict.fromkeys((kind, normal(kind, text)) for text in texts if text)


def _token_kinds(token_type: str | None) -> tuple[Kind, ...]:
    if token_type is None:
        return tuple(Kind)
    if token_type == NO_AUTHORIZATION:
        return ()
    return (KIND_OF_TYPE.get(token_type.lower(), Kind.TAG),)


def normal(kind: Kind, text: str) -> str:
    """One spelling for what is the same.

    OCPP id tags are case insensitive; MACs and contracts come with and without separators,
    contracts with and without their check digit.
    """
    if kind is Kind.TAG:
        return text.strip().lower()
    if kind is Kind.EVCCID and (autocharge := _AUTOCHARGE.fullmatch(text.strip())):
        text = autocharge["mac"]
    bare = _SEPARATORS.sub("", text).upper()
    return bare[:_CONTRACT_LENGTH] if kind is Kind.EMAID else bare


def same_token(one: str, other: str) -> bool:
    """Whether two id tags are the same."""
    return normal(Kind.TAG, one) == normal(Kind.TAG, other)


def hinted(tag: str | None) -> str:
    """As much of a tag as a log may show: its last characters, never more than half of it."""
    if not tag:
        return "-"
    shown = min(_HINT, len(tag) // 2)
    return "…" + (tag[-shown:] if shown else "")
