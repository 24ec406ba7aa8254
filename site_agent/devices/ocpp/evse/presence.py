"""Who is at one plug, as far as anything has been told of it."""

from __future__ import annotations

import structlog

from site_agent.domain.fleet.access import Access
from site_agent.domain.fleet.identity import Identity, Presented

_log = structlog.get_logger(__name__)


class Presence:
    """What is told of one stay, until the plug is drawn, and whom that makes."""

    def __init__(self, evse_id: str, access: Access) -> None:
        self._evse_id = evse_id
        self._access = access
        self._presented = Presented()
        self._identity: Identity | None = None

    def present(self, presented: Presented) -> bool:
        """Something more is told; whether it is news."""
        before = self._presented
        self._presented = before.joined(presented)
        return before != self._presented

    def leave(self) -> None:
        """The plug is drawn."""
        self._presented = Presented()

    def who(self, tag: str | None) -> Identity:
        """Who it is; after a restart of ours the transaction's tag is all there is."""
        presented = self._presented
        if presented == Presented() and tag:
            presented = Presented(token=tag)
        if self._identity is None or self._identity.presented != presented:
            self._identity = self._access.identify(presented, self._evse_id)
            for conflict in self._identity.conflicts:
                _log.warning("who is it?", evse=self._evse_id, conflict=conflict)
        return self._identity
