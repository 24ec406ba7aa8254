"""Sources of the grid's carbon intensity: `gateway.ports.intensity.IntensitySource`."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

from contracts.config import read_text
from contracts.errors import ConfigError, ProtocolError
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.accounts.carbon import Intensity
from gateway.prices.reading import instant_of

_COLUMNS = ("start", "end", "g_per_kwh")
_MOST_G = 5000.0
"""Of any grid; more is another unit."""


class ConstantIntensity:
    """The same all the time, such as a country's yearly mean."""

    def __init__(self, g_per_kwh: float, source: str) -> None:
        self._g_per_kwh = g_per_kwh
        self._source = source

    async def intensity(self, window: Interval) -> Intensity:
        """See the port."""
        series = StepSeries.of([(window, self._g_per_kwh)])
        return Intensity(g_per_kwh=series, source=self._source)


class CsvIntensity:
    """A CSV file with the columns `start,end,g_per_kwh`, read again each time."""

    def __init__(self, file: Path, source: str) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be read, or makes no sense.
        """
        self._file = file
        self._source = source
        self._read()

    async def intensity(self, window: Interval) -> Intensity:
        """See the port."""
        series = await asyncio.to_thread(self._read)
        return Intensity(g_per_kwh=series.clip(window), source=self._source)

    def _read(self) -> StepSeries:
        try:
            reader = csv.DictReader(io.StringIO(read_text(self._file)), strict=True)
            if not set(_COLUMNS) <= set(reader.fieldnames or ()):
                raise ConfigError(f"{self._file}: columns {','.join(_COLUMNS)} are wanted")
            return StepSeries.of([self._step(number, row) for number, row in enumerate(reader, 2)])
        except (csv.Error, ValueError) as error:
            raise ConfigError(f"{self._file}: {error}") from error

    def _step(self, number: int, row: dict[str, str | None]) -> tuple[Interval, float]:
        start, end, grams = (row[name] or "" for name in _COLUMNS)
        try:
            return Interval(start=instant_of(start), end=instant_of(end)), _grams(grams)
        except (ProtocolError, ValueError) as error:
            raise ConfigError(f"{self._file}:{number}: {error}") from error


def _grams(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= _MOST_G:
        raise ValueError(f"{text[:20]!r} is no intensity in g/kWh (0 to {_MOST_G:.0f})")
    return value
