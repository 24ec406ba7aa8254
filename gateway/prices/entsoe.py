"""Day-ahead prices from the ENTSO-E Transparency Platform: RESTful API, document type A44.

Source: the platform's RESTful API guide (12.1.D, day-ahead prices): GET with `documentType` A44,
the bidding zone as `in_Domain` and `out_Domain`, and a period in UTC; at most 400 requests a
minute, else 429.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.errors import ConfigError
from contracts.time import Clock, Interval
from gateway.domain.price.merge import Publication
from gateway.prices.entsoe_document import Asked, publication
from gateway.prices.settings import EntsoeSettings
from gateway.prices.web import PriceWeb

_DAY_AHEAD = "A44"
_MOST_TOKEN = 200


class EntsoeSource:
    """`gateway.ports.PriceSource` of one bidding zone."""

    def __init__(self, settings: EntsoeSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._web = PriceWeb(str(settings.url))
        self._asked = Asked(
            source_id=settings.source_id, area=settings.area, sequence=settings.sequence
        )

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        return self._settings.source_id

    @property
    def area(self) -> str:
        """The EIC code."""
        return self._settings.area

    @property
    def zone(self) -> ZoneInfo:
        """Of the market's days."""
        return self._settings.time_zone

    @property
    def published_at(self) -> time:
        """When the next day's prices come out."""
        return self._settings.published_at

    async def fetch(self, window: Interval) -> Publication | None:
        """See the port.

        Raises:
            ConfigError: the token cannot be read.
        """
        token = await asyncio.to_thread(_token, self._settings.token_file)
        query = {
            "securityToken": token,
            "documentType": _DAY_AHEAD,
            "in_Domain": self.area,
            "out_Domain": self.area,
            "periodStart": _minute(window.start),
            "periodEnd": _minute(window.end or window.start),
        }
        body = await self._web.get(query, self._clock.now())
        return await asyncio.to_thread(publication, body, self._asked, window)


def _token(file: Path) -> str:
    """Read every time, so that a new one needs no restart."""
    try:
        with file.open(encoding="ascii") as opened:
            token = opened.read(_MOST_TOKEN + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: the token cannot be read: {error}") from error
    if not token or len(token) > _MOST_TOKEN:
        raise ConfigError(f"{file}: one token is wanted, and nothing else")
    return token


def _minute(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M}"
