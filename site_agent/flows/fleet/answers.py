"""Answers that are kept, so that a request that is sent again is answered again, not done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered to a request with an `Idempotency-Key`."""

    digest: str
    """Of the request, to tell a repetition from another request with the same key."""
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class AnswerStore(Protocol):
    """Keeps them; who asked is part of the key."""

    async def find(self, holder: str, key: str) -> KeptAnswer | None:
        """The answer kept under this key, or None."""
        ...

    async def keep(
        self, holder: str, key: str, answer: KeptAnswer, at: datetime, forget_before: datetime
    ) -> None:
        """Durable when it returns; older answers than `forget_before` are forgotten.

        Raises:
            TransientError: the disk is full or the file is locked.
        """
        ...
