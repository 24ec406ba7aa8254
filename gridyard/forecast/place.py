"""The history of a site from the command line: in its database, whether or not its agent runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.config import load
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.forecast.record import QuarterMean
from site_agent.store.database import Database
from site_agent.store.history import SqliteHistory
from site_agent.store.sqlite import DATABASE

_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def ground_of(settings: SiteSettings) -> ForecastGround:
    """The site as its forecasts see it."""
    tariff = settings.tariff_paid()
    return settings.forecast.ground(settings.model(), settings.time_zone, tariff)


@contextmanager
def history_of(settings: SiteSettings, *, make: bool = False) -> Iterator[SqliteHistory]:
    """The site's history; with `make`, also where the agent has never run.

    Raises:
        ConfigError: there is none yet, or it cannot be opened.
    """
    path = settings.data / DATABASE
    if make:
        _make_folder(settings.data)
    elif not path.exists():
        raise ConfigError(f"{path}: no history yet: run the agent, or import past data first")
    database = Database(path)
    try:
        yield SqliteHistory(database)
    finally:
        database.close()


def settings_of(site: Path) -> SiteSettings:
    """Settings of a site's agent."""
    return load(site, SiteSettings)


async def everything(
    history: SqliteHistory, series: Sequence[str]
) -> Mapping[str, Sequence[QuarterMean]]:
    """All quarters of these series."""
    return {name: await history.quarters(name, *_EVER) for name in series}


def days(rows: Sequence[QuarterMean]) -> float:
    """How many days these quarters are."""
    return len(rows) / (timedelta(days=1) / timedelta(minutes=15))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error}") from error
