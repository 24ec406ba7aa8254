"""Two market platforms on one socket, and a way to have them fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException, Query, Response

from contracts.http_server import serve
from contracts.time import Clock
from vtn_sim.prices import entsoe, oasis
from vtn_sim.prices.market import market_days, midnight, prices
from vtn_sim.prices.settings import PriceFault, PriceServerSettings

BRUSSELS, PACIFIC = ZoneInfo("Europe/Brussels"), ZoneInfo("America/Los_Angeles")
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_PUBLISHED = {BRUSSELS: (12, 45), PACIFIC: (13, 0)}
_GAP = range(10, 13)
"""Hours without a price."""
_HUGE = 64 * 1024 * 1024
_XML, _ZIP = "text/xml", "application/x-zip-compressed"

Moment = Annotated[str, Query(max_length=40)]
Name = Annotated[str, Query(max_length=80)]


class PriceServer:
    """`/api` speaks as ENTSO-E, `/oasisapi/SingleZip` as CAISO OASIS."""

    def __init__(self, settings: PriceServerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.faults = set(settings.faults)
        """What goes wrong now; change it at any time."""
        self.asked = 0
        """How many requests have come."""

    async def run(self, stopping: asyncio.Event, ready: Callable[[int], None]) -> None:
        """Serve until `stopping` is set.

        Raises:
            PermanentError: the port cannot be listened on.
        """
        settings = self._settings
        await serve(
            self.app(), host=settings.host, port=settings.port, stopping=stopping, ready=ready
        )

    def app(self) -> FastAPI:
        """The application."""
        app = FastAPI(title="Simulated markets", docs_url=None, redoc_url=None, openapi_url=None)

        @app.get("/api")
        async def transparency_platform(
            securityToken: Name,  # noqa: N803 (the platform's own names)
            documentType: Name,  # noqa: N803
            in_Domain: Name,  # noqa: N803
            periodStart: Moment,  # noqa: N803
            periodEnd: Moment,  # noqa: N803
        ) -> Response:
            if securityToken != self._settings.token:
                raise HTTPException(401, "Unauthorized. Missing or invalid security token")
            if documentType != "A44":
                raise HTTPException(400, "only A44 is known here")
            start, end = _instant(periodStart, "%Y%m%d%H%M"), _instant(periodEnd, "%Y%m%d%H%M")
            return self._answer(_XML, lambda: self._entsoe(in_Domain, start, end).encode())

        @app.get("/oasisapi/SingleZip")
        async def single_zip(node: Name, startdatetime: Moment, enddatetime: Moment) -> Response:
            start = _instant(startdatetime, "%Y%m%dT%H:%M%z")
            end = _instant(enddatetime, "%Y%m%dT%H:%M%z")
            return self._answer(_ZIP, lambda: self._oasis(node, start, end))

        @app.post("/faults")
        async def change_faults(faults: tuple[PriceFault, ...]) -> tuple[PriceFault, ...]:
            self.faults = set(faults)
            return tuple(sorted(self.faults))

        return app

    def _answer(self, media_type: str, content: Callable[[], bytes]) -> Response:
        self.asked += 1
        if PriceFault.BUSY in self.faults:
            again = str(self._settings.retry_after_s)
            return Response(status_code=429, headers={"Retry-After": again})
        if PriceFault.DOWN in self.faults:
            return Response(status_code=503)
        if PriceFault.HUGE in self.faults:
            huge = b" " * _HUGE
            return Response(
                oasis.zipped("PRC_LMP.csv", huge) if media_type == _ZIP else huge,
                media_type=media_type,
            )
        body = content()
        if PriceFault.MALFORMED in self.faults:
            body = body[: len(body) // 2]
        return Response(body, media_type=media_type)

    def _entsoe(self, area: str, start: datetime, end: datetime) -> str:
        now, settings = self._clock.now(), self._settings
        if PriceFault.REFUSED in self.faults:
            return entsoe.acknowledgement("999", "Delivered time interval is not valid", now)
        step = timedelta(minutes=settings.resolution_min)
        days = [
            entsoe.PricedDay(
                start=midnight(day, BRUSSELS),
                end=midnight(day + _DAY, BRUSSELS),
                resolution_min=settings.resolution_min,
                prices=self._with_gap(
                    prices(day, BRUSSELS, step, settings.base_per_mwh, settings.swing_per_mwh),
                    BRUSSELS,
                ),
            )
            for day in market_days(start, end, BRUSSELS)
            if self._published(midnight(day, BRUSSELS), BRUSSELS)
        ]
        if not days:
            return entsoe.acknowledgement("999", "No matching data found for Data item", now)
        # With holes every point is written: what is missing would be read as a repetition.
        curve = "A01" if PriceFault.GAP in self.faults else "A03"
        return entsoe.publication(area, days, now, curve=curve)

    def _oasis(self, node: str, start: datetime, end: datetime) -> bytes:
        now, settings = self._clock.now(), self._settings
        if PriceFault.REFUSED in self.faults:
            return oasis.zipped("INVALID.xml", oasis.error_report("1010", "Invalid node", now))
        found = [
            (at, price)
            for day in market_days(start, end, PACIFIC)
            if self._published(midnight(day, PACIFIC), PACIFIC)
            for at, price in self._with_gap(
                prices(day, PACIFIC, _HOUR, settings.base_per_mwh, settings.swing_per_mwh),
                PACIFIC,
            )
            if start <= at < end
        ]
        if not found:
            text = "No data returned for the specified selection"
            return oasis.zipped("INVALID.xml", oasis.error_report("1000", text, now))
        return oasis.zipped("PRC_LMP_DAM.csv", oasis.csv_report(node, found))

    def _with_gap(
        self, day: tuple[entsoe.Priced, ...], zone: ZoneInfo
    ) -> tuple[entsoe.Priced, ...]:
        if PriceFault.GAP not in self.faults:
            return day
        return tuple(one for one in day if one[0].astimezone(zone).hour not in _GAP)

    def _published(self, begins: datetime, zone: ZoneInfo) -> bool:
        """Today is, tomorrow from the hour of publication on."""
        here = self._clock.now().astimezone(zone)
        tomorrow = midnight(here.date() + _DAY, zone)
        if begins < tomorrow:
            return True
        if PriceFault.LATE in self.faults or begins > tomorrow:
            return False
        return (here.hour, here.minute) >= _PUBLISHED[zone]


def _instant(text: str, pattern: str) -> datetime:
    try:
        found = datetime.strptime(text, pattern)  # noqa: DTZ007 (ENTSO-E's times are UTC by rule)
    except ValueError as error:
        raise HTTPException(400, f"{text!r} is no time") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
