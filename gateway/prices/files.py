"""Prices from files: a CSV of intervals, and the energy prices of a tariff."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.config import load
from contracts.errors import ConfigError, ProtocolError
from contracts.time import Interval
from gateway.domain.price.merge import Publication
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.prices.reading import instant_of, price_of
from gateway.prices.settings import CsvSettings, TariffSettings
from gateway.prices.tariff_file import TariffFile

MAX_BYTES = 4 * 1024 * 1024
_COLUMNS = ("start", "end", "price")
_ALWAYS = time(0)


class CsvSource:
    """`gateway.ports.PriceSource` of a CSV file; what is no longer in it is withdrawn."""

    def __init__(self, settings: CsvSettings) -> None:
        self._settings = settings

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        return self._settings.source_id

    @property
    def area(self) -> str:
        """As the settings name it."""
        return self._settings.area

    @property
    def zone(self) -> ZoneInfo:
        """As the settings say."""
        return self._settings.time_zone

    @property
    def published_at(self) -> time:
        """A file may change at any time."""
        return _ALWAYS

    async def fetch(self, window: Interval) -> Publication | None:
        """See the port.

        Raises:
            ConfigError: the file cannot be read, or a row makes no sense; it names the row.
        """
        return await asyncio.to_thread(self._read, window)

    def _read(self, window: Interval) -> Publication:
        text, as_of = _text_of(self._settings.file)
        try:
            reader = csv.DictReader(io.StringIO(text), strict=True)
            if not set(_COLUMNS) <= set(reader.fieldnames or ()):
                raise ConfigError(f"{self._settings.file}: columns {','.join(_COLUMNS)} are wanted")
            steps = [self._step(number, row, as_of) for number, row in enumerate(reader, 2)]
            prices = PriceTimeline.of(self.area, self._settings.currency, steps)
        except (csv.Error, ValueError) as error:
            raise ConfigError(f"{self._settings.file}: {error}") from error
        return Publication(window=window, prices=prices.clip(window), whole=True)

    def _step(self, number: int, row: dict[str, str | None], as_of: datetime) -> PriceStep:
        start, end, price = (row[name] or "" for name in _COLUMNS)
        try:
            return PriceStep(
                interval=Interval(start=instant_of(start), end=instant_of(end)),
                per_kwh=price_of(price, self._settings.unit),
                source_id=self.source_id,
                as_of=as_of,
                quality=self._settings.firm,
            )
        except (ProtocolError, ValueError) as error:
            raise ConfigError(f"{self._settings.file}:{number}: {error}") from error


class TariffSource:
    """`gateway.ports.PriceSource` of a tariff file: every hour of every day has a price."""

    def __init__(self, settings: TariffSettings) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be read, or makes no sense.
        """
        self._settings = settings
        self._tariff = load(settings.file, TariffFile)

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        return self._settings.source_id

    @property
    def area(self) -> str:
        """The tariff's name."""
        return self._tariff.name

    @property
    def zone(self) -> ZoneInfo:
        """On whose wall clock its hours are."""
        return self._tariff.time_zone

    @property
    def published_at(self) -> time:
        """It holds for every day."""
        return _ALWAYS

    async def fetch(self, window: Interval) -> Publication | None:
        """See the port; the file is read again, so that a new tariff needs no restart."""
        return await asyncio.to_thread(self._read, window)

    def _read(self, window: Interval) -> Publication:
        _, as_of = _text_of(self._settings.file)
        self._tariff = load(self._settings.file, TariffFile)
        steps = (
            PriceStep(interval=interval, per_kwh=per_kwh, source_id=self.source_id, as_of=as_of)
            for interval, per_kwh in self._tariff.prices(window)
        )
        prices = PriceTimeline.of(self.area, self._tariff.currency, steps)
        return Publication(window=window, prices=prices, whole=True)


def _text_of(file: Path) -> tuple[str, datetime]:
    """Content, and since when it is so."""
    try:
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{file}: larger than {MAX_BYTES} bytes")
        return content.decode("utf-8-sig"), changed
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
