"""Why things at a depot are as they are, asked of its running agent through the console."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.config import load
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.console.client import Console

Json = Mapping[str, object]

_WIDTH = 9
"""Of the first word of a step."""


class Asked:
    """A running agent, and the time zone its people think in."""

    def __init__(self, site: Path | None, data: Path | None) -> None:
        """Find it.

        Args:
            site: The agent's settings.
            data: Its data folder, instead; times are then told in UTC.

        Raises:
            ConfigError: neither or both are given, or the settings cannot be read.
        """
        if (site is None) == (data is None):
            raise ConfigError("say which agent: --site FILE (its settings) or --data FOLDER")
        settings = None if site is None else load(site, SiteSettings)
        folder = data if settings is None else settings.data
        assert folder is not None  # noqa: S101 (one of them is given)
        self._console = Console(folder)
        self.zone: tzinfo = UTC if settings is None else ZoneInfo(settings.time_zone)

    def why(self, subject: str, at: str | None, now: datetime) -> Json:
        """The answer about a device, vehicle, circuit node or the site, now or at a past time.

        Raises:
            ConfigError: `at` is no time.
            GridyardError: no agent answers, or it knows nothing of that name or time.
        """
        given = {} if at is None else {"at": instant(at, self.zone, now).isoformat()}
        return self._items("site.why", subject=subject, **given)[0]

    def journal(self, subject: str | None, most: int) -> list[Json]:
        """The newest entries of the decision journal, newest first.

        Raises:
            GridyardError: no agent answers, or it knows nothing of that name.
        """
        given = {} if subject is None else {"subject": subject}
        return self._items("site.journal", most=most, **given)

    def _items(self, command: str, **args: object) -> list[Json]:
        async def ask() -> list[Json]:
            return [item async for item in self._console.ask(command, **args)]

        return asyncio.run(ask())


def instant(text: str, zone: tzinfo, now: datetime) -> datetime:
    """A time as people type it: `14:05` (the last one), or a date and time, with or without offset.

    Raises:
        ConfigError: it is neither.
    """
    try:
        return _local(datetime.combine(_day(text, zone, now), time.fromisoformat(text)), zone)
    except ValueError:
        pass
    try:
        return _local(datetime.fromisoformat(text), zone)
    except ValueError as error:
        raise ConfigError(
            f"--at {text!r}: say a time such as 14:05 or 2026-01-05T14:05 (of the site's zone), "
            "or with an offset such as 2026-01-05T14:05+01:00"
        ) from error


def _day(text: str, zone: tzinfo, now: datetime) -> date:
    """Today, or yesterday for a time that is yet to come."""
    here = now.astimezone(zone)
    later = time.fromisoformat(text).replace(tzinfo=None) > here.time()
    return here.date() - timedelta(days=1) if later else here.date()


def _local(at: datetime, zone: tzinfo) -> datetime:
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def lines(answer: Json, zone: tzinfo) -> Iterator[str]:
    """The sentence, then the way from its cause to its effect."""
    yield f"{answer['sentence']}."
    for step in _steps(answer):
        yield f"  {step['what']!s:<{_WIDTH}} {step['text']}"
    yield f"  as of     {_clock(answer, zone)}"


def journal_lines(entries: Sequence[Json], zone: tzinfo) -> Iterator[str]:
    """A line an entry, the oldest first, as a log is read."""
    for entry in reversed(entries):
        yield f"{_clock(entry, zone)}  {entry['kind']!s:<8}  {entry['text']}"
    if not entries:
        yield "nothing has been noted"


def _steps(answer: Json) -> list[Json]:
    found = answer["steps"]
    return found if isinstance(found, list) else []


def _clock(item: Json, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(str(item['at'])).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
