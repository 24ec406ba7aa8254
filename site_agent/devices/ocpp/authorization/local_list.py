"""The local authorisation list of one station: its entries, its version, its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.words import IdToken, LocalEntry, TokenKind
from site_agent.domain.fleet.access import Access, Offline, Status
from site_agent.domain.fleet.identity import Credential, Kind, Presented

_LONGEST_16 = 20
"""Characters of an idTag (OCPP 1.6 §7.8)."""
_LONGEST_201 = 36
_TOLD = (Status.ACCEPTED, Status.BLOCKED, Status.EXPIRED)
"""Others depend on the place or the moment, or are the charger's answer to strangers anyway."""
_FIRST_VERSION = 1 << 20
"""Room below for the versions of the parts; 0 and -1 have meanings of their own."""
_VERSIONS = 1 << 30
_KINDS = {Kind.EMAID: TokenKind.EMAID, Kind.EVCCID: TokenKind.MAC_ADDRESS}


def entries(
    access: Access, evses: Sequence[str], now: datetime, version: Version
) -> list[LocalEntry]:
    """What a station with these EVSEs may be told, the most important first."""
    found = [
        entry
        for (kind, _), one in access.roster.credentials.items()
        for token in _token(kind, one, version)
        if (entry := _entry(access, token, evses, now)) is not None
    ]
    first = Status.BLOCKED if access.offline is Offline.ANYONE else Status.ACCEPTED
    return sorted(found, key=lambda entry: entry.status != first)


def version_of(listed: Sequence[LocalEntry]) -> int:
    """A version that only the same content has: it needs no memory on our side."""
    told = sorted(repr((one.token, one.status, one.expires, one.group)) for one in listed)
    digest = hashlib.sha256("\n".join(told).encode()).digest()
    return _FIRST_VERSION + int.from_bytes(digest[:8]) % _VERSIONS


def parts(
    listed: Sequence[LocalEntry], version: int, most: int
) -> Iterator[tuple[int, Sequence[LocalEntry], bool]]:
    """`(version, entries, full)` of each message: one full list, then what did not fit into it.

    The versions rise to `version`, so that a list left unfinished is known by its version.
    """
    starts = range(0, len(listed), most) or range(1)
    for number, start in enumerate(starts):
        behind = len(starts) - 1 - number
        yield version - behind, listed[start : start + most], number == 0


def _token(kind: Kind, one: Credential, version: Version) -> Iterator[IdToken]:
    """1.6 lists have cards only; chargers spell vehicles and contracts there as they like."""
    longest = _LONGEST_16 if version is Version.V16 else _LONGEST_201
    if len(one.text) > longest or (kind is not Kind.TAG and version is Version.V16):
        return
    if kind is Kind.TAG:
        yield IdToken(value=one.text, kind=TokenKind(one.token_type or TokenKind.ISO14443))
    elif kind in _KINDS:
        yield IdToken(value=one.text, kind=_KINDS[kind])


def _entry(
    access: Access, token: IdToken, evses: Sequence[str], now: datetime
) -> LocalEntry | None:
    presented = Presented(token=token.value, token_type=token.kind.value)
    verdict = access.verdict(presented, evses, now)
    if verdict.status not in _TOLD or verdict.evses is not None:
        return None
    return LocalEntry(
        token=token,
        status=verdict.status.value,
        expires=verdict.valid_until,
        group=None if verdict.group is None else IdToken(value=verdict.group),
    )
