"""Which signed messages were seen already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from contracts.openadr.signature.fault import SignatureError, SignatureFault

_Key = tuple[datetime, str, str]
_EVER = datetime.min.replace(tzinfo=UTC)


class ReplayCache:
    """The (signer, timestamp, nonce) of accepted messages; bounded in time and number.

    What is dropped, for age or for want of room, leaves its timestamp as a floor under which
    nothing is accepted any more: no message is accepted twice, whatever the bounds, and also
    when our clock is set back. `keep` must be longer than a message may be old; `since`, the
    time of our start, refuses replays of what was seen before a restart.
    """

    def __init__(
        self,
        *,
        keep: timedelta = timedelta(minutes=15),
        limit: int = 20_000,
        since: datetime = _EVER,
    ) -> None:
        self.keep = keep
        self._limit = limit
        self._floor = since
        self._seen: set[_Key] = set()
        self._oldest_first: list[_Key] = []

    def __len__(self) -> int:
        return len(self._seen)

    def accept_once(self, signer: str, at: datetime, nonce: str, now: datetime) -> None:
        """Note a message whose signature holds.

        Raises:
            SignatureError: it was accepted before, or is too old to tell.
        """
        self._drop_older_than(now - self.keep)
        key = (at, signer, nonce)
        if key in self._seen:
            raise SignatureError(SignatureFault.REPLAYED, f"nonce {nonce[:40]!r} was used before")
        if at <= self._floor:
            raise SignatureError(SignatureFault.STALE, "signed before what we can remember")
        self._seen.add(key)
        heappush(self._oldest_first, key)
        while len(self._seen) > self._limit:
            self._drop_oldest()

    def _drop_older_than(self, bound: datetime) -> None:
        while self._oldest_first and self._oldest_first[0][0] < bound:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        key = heappop(self._oldest_first)
        self._seen.remove(key)
        self._floor = max(self._floor, key[0])
