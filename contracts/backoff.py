"""How long to wait before the next attempt: doubling, bounded, and never in step with others."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits of `first_s`, twice that, and so on up to `most_s`, each shortened by up to half.

    The shortening is random, so that a thousand sites that lost one broker do not come back in
    the same instant.
    """

    def __init__(
        self,
        first_s: float,
        most_s: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first_s, self._most_s, self._chance = first_s, most_s, chance
        self._full_s = first_s

    def next_s(self) -> float:
        """The wait before the next attempt, in s."""
        wait_s = self._full_s * (1 - self._chance() / 2)
        self._full_s = min(self._full_s * 2, self._most_s)
        return wait_s

    def reset(self) -> None:
        """An attempt has succeeded: begin small again."""
        self._full_s = self._first_s
