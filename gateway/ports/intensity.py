"""Where tariffs and the carbon intensity of the grid come from."""

from __future__ import annotations

from typing import Protocol

from contracts.time import Interval
from gateway.domain.accounts.carbon import Intensity
from gateway.domain.accounts.terms import Terms


class IntensitySource(Protocol):
    """Tells how much carbon the grid's energy brings."""

    async def intensity(self, window: Interval) -> Intensity:
        """Over a closed window; where the source does not know there is a gap.

        Raises:
            ConfigError: its file cannot be read.
        """
        ...


class TermsSource(Protocol):
    """Tells what a tariff says for a month."""

    @property
    def billing_day(self) -> int:
        """Day of the month, 1 to 28, on which a billing month begins."""
        ...

    async def terms(self, window: Interval) -> Terms:
        """Over a closed window.

        Raises:
            ConfigError: its file cannot be read, or makes no sense.
        """
        ...
