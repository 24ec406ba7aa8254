"""`/api/v1/sites/{site}/meter/{format}`: a site's meter data as files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from contracts.site_link import points
from gateway.domain.portfolio import Site
from gateway.domain.program.wall import span_of
from gateway.reports.files import MEDIA_TYPES, safe
from gateway.reports.meter_data.green_button import MEDIA_TYPE, green_button
from gateway.reports.meter_data.rows import MeterData, MeterRow, meter_rows, meter_table
from gateway.reports.tables import as_csv, as_parquet, as_xlsx
from gateway.reports.view import SIMULATED
from gateway.web.lookup import find_site
from gateway.web.readers import named_file
from gateway.web.state import WebState

LENGTH = timedelta(minutes=15)
LONGEST = timedelta(days=370)
_DAY = timedelta(days=1)
Format = Literal["csv", "xlsx", "parquet", "green-button"]
First = Annotated[date, Query(description="First day, of the site's calendar.")]
Last = Annotated[date, Query(description="Last day, included.")]
_KINDS: dict[str, tuple[str, str, Callable[[MeterData], bytes]]] = {
    "csv": ("csv", MEDIA_TYPES["csv"], lambda data: as_csv(meter_table(data))),
    "xlsx": (
        "xlsx",
        MEDIA_TYPES["xlsx"],
        lambda data: as_xlsx([meter_table(data)], data.created_at),
    ),
    "parquet": ("parquet", MEDIA_TYPES["parquet"], lambda data: as_parquet(meter_table(data))),
    "green-button": ("xml", MEDIA_TYPE, green_button),
}


def add_routes(router: APIRouter, state: WebState) -> None:
    """Meter data by quarter-hour."""

    @router.get(
        "/sites/{site_id}/meter/{format}",
        tags=["telemetry"],
        response_class=Response,
        responses={200: {"content": {kind[1]: {} for kind in _KINDS.values()}}},
    )
    async def meter(site_id: str, format: Format, first: First, last: Last) -> Response:
        """Energy by quarter-hour over whole days; what is not known is left out or empty."""
        site = find_site(state, site_id)
        if not timedelta(0) <= last - first <= LONGEST:
            raise HTTPException(422, f"last must not lie before first, at most {LONGEST.days} days")
        data = await _data(state, site, first, last)
        ending, media_type, make = _KINDS[format]
        label = f"_{SIMULATED}" if site.simulated else ""
        name = f"meter_{safe(site_id)}_{first}_{last}{label}.{ending}"
        return named_file(await asyncio.to_thread(make, data), media_type, name)


async def _data(state: WebState, site: Site, first: date, last: date) -> MeterData:
    """Read day by day, so that a year is never in memory as it was measured."""
    rows: list[MeterRow] = []
    day = first
    while day <= last:
        window = span_of(day, day, site.time_zone)
        power = await state.telemetry.series(site.site_id, points.PCC_POWER_W, window)
        rows += meter_rows(power, window, LENGTH)
        day += _DAY
    return MeterData(
        site_id=site.site_id,
        name=site.name,
        zone=site.time_zone,
        length=LENGTH,
        rows=rows,
        simulated=site.simulated,
        created_at=state.now(),
    )
