"""Whom a station knows by itself: the local authorisation list and the authorisation cache.

OCPP 1.6 §3.5 and §5.15, OCPP 2.0.1 part 2, C and D. The list is the central system's and wins over
the cache, which the station fills from answers it has heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from depot_sim.chargers.rules import StationSettings

MOST_LISTED = 1000
MOST_SENT = 100
_MOST_CACHED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is known of a token; `group` is its parent id tag or group id token."""

    accepted: bool
    group: str | None = None
    expires_at: datetime | None = None

    def admits(self, now: datetime) -> bool:
        """Whether it may charge now."""
        return self.accepted and (self.expires_at is None or now < self.expires_at)


class LocalList:
    """The list of the central system. `version` 0 says that there is none."""

    def __init__(self) -> None:
        self.version = 0
        self._entries: dict[str, Listed] = {}

    def get(self, token: str) -> Listed | None:
        """The entry of a token."""
        return self._entries.get(token)

    def update(self, kind: str, version: int, entries: Sequence[tuple[str, Listed | None]]) -> str:
        """A Full or Differential update, in which None deletes; the status to answer."""
        if kind == "Full":
            deletes = any(entry is None for _, entry in entries)
            return "Failed" if deletes else self._take(version, {}, entries)
        if version <= self.version:
            return "VersionMismatch"
        return self._take(version, self._entries, entries)

    def _take(
        self,
        version: int,
        base: Mapping[str, Listed],
        entries: Sequence[tuple[str, Listed | None]],
    ) -> str:
        changes = dict(entries)
        taken = {t: entry for t, entry in {**base, **changes}.items() if entry is not None}
        twice = len(changes) < len(entries)
        if version <= 0 or twice or len(entries) > MOST_SENT or len(taken) > MOST_LISTED:
            return "Failed"
        self._entries, self.version = taken, version
        return "Accepted"


class TokenCache:
    """The central system's last words on tokens; when full, the oldest is forgotten."""

    def __init__(self) -> None:
        self._entries: dict[str, Listed] = {}

    def get(self, token: str) -> Listed | None:
        """The entry of a token."""
        return self._entries.get(token)

    def learn(self, token: str, entry: Listed) -> None:
        """Remember an answer."""
        self._entries.pop(token, None)
        self._entries[token] = entry
        if len(self._entries) > _MOST_CACHED:
            del self._entries[next(iter(self._entries))]

    def forget(self, token: str) -> bool:
        """Forget one token; whether it was known."""
        return self._entries.pop(token, None) is not None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


class KnownTokens:
    """List and cache together, as far as the settings let them count."""

    def __init__(self, settings: StationSettings) -> None:
        self._settings = settings
        self.list = LocalList()
        self.cache = TokenCache()

    def of(self, token: str) -> Listed | None:
        """What is known of a token; the list comes first, unless it is switched off."""
        listed = self.list.get(token) if self._settings.local_list else None
        return listed or self.cache.get(token)

    def group_of(self, token: str) -> str | None:
        """The group of a token, as far as it is known."""
        known = self.of(token)
        return known.group if known else None

    def admit(self, token: str, now: datetime, *, online: bool) -> bool:
        """Whether the station may start for this token on its own word."""
        settings = self._settings
        if not (settings.local_pre_authorize if online else settings.local_authorize_offline):
            return False
        known = self.of(token)
        return known.admits(now) if known else settings.offline_unknown and not online
