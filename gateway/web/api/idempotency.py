"""`Idempotency-Key`: one key stands for one request for ever (as long as we remember)."""

from __future__ import annotations

from collections import OrderedDict

from fastapi import HTTPException

KEPT = 1000


class Answers:
    """Remembers the newest keys and what each was used for.

    The requests themselves are idempotent, so a repeat is simply carried out again and gives the
    same result; a key used for something else is a mistake of the client and is refused.
    """

    def __init__(self) -> None:
        self._used: OrderedDict[str, str] = OrderedDict()

    def check(self, key: str | None, request: str) -> None:
        """Take note of a key.

        Raises:
            HTTPException: 422, the key was used for another request.
        """
        if key is None:
            return
        if self._used.setdefault(key, request) != request:
            raise HTTPException(422, "This Idempotency-Key was used for another request")
        self._used.move_to_end(key)
        while len(self._used) > KEPT:
            self._used.popitem(last=False)
