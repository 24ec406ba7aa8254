"""`/api/v1/sites/{site}/meters`: revenue meters' intervals in, and out as they were known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import AwareDatetime, TypeAdapter

from contracts.errors import PermanentError
from contracts.time import Interval
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.portfolio import Site
from gateway.flows.metering.desk import MeterDesk
from gateway.meter_files.csv_file import read_csv
from gateway.meter_files.espi_file import read_espi
from gateway.meter_files.json_file import DeliveryIn, read_json
from gateway.meter_files.reading import MAX_BYTES, Reader, ReadFile, Reading
from gateway.ports import StoredInterval
from gateway.web.api.meter_data_schemas import (
    DeliveredOut,
    GapOut,
    IntervalOut,
    MeterOut,
    delivered_out,
    interval_out,
    meter_out,
)
from gateway.web.lookup import find_site
from gateway.web.readers import known_zone
from gateway.web.state import WebState

LONGEST = timedelta(days=370)
_METER = "/sites/{site_id}/meters/{meter}"
_READERS: Mapping[str, Reader] = {
    "application/json": read_json,
    "text/csv": read_csv,
    "application/atom+xml": read_espi,
    "application/xml": read_espi,
    "text/xml": read_espi,
}


def _inlined(schema: object, defs: Mapping[str, object]) -> object:
    """A JSON schema without references, as a path of OpenAPI cannot have them of its own."""
    if isinstance(schema, list):
        return [_inlined(one, defs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(ref := schema.get("$ref"), str):
        return _inlined(defs[ref.rpartition("/")[2]], defs)
    return {name: _inlined(one, defs) for name, one in schema.items() if name != "$defs"}


_SCHEMA = DeliveryIn.model_json_schema()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _inlined(_SCHEMA, _SCHEMA["$defs"])},
            "text/csv": {"schema": {"type": "string"}},
            "application/atom+xml": {"schema": {"type": "string"}},
        },
    }
}
_INTERVALS = TypeAdapter(list[IntervalOut])
Start = Annotated[AwareDatetime, Query(description="Such as 2026-10-01T00:00:00Z.")]
End = Annotated[AwareDatetime, Query(description="Not included; at most 370 days later.")]
KnownAt = Annotated[
    AwareDatetime | None, Query(description="As it was known at this instant; else now.")
]
Issued = Annotated[
    AwareDatetime | None, Query(description="When the source made it, where the file is silent.")
]
ZoneName = Annotated[
    str, Query(max_length=100, description="Of times without an offset; else the site's.")
]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Meters, deliveries, intervals, versions and gaps."""
    _add_delivery(router, state)
    _add_shows(router, state)


def _add_delivery(router: APIRouter, state: WebState) -> None:
    @router.post(
        _METER + "/intervals", tags=["meters"], max_body_size=MAX_BYTES, openapi_extra=_BODY
    )
    async def deliver(
        site_id: str, meter: str, request: Request, zone: ZoneName = "", issued_at: Issued = None
    ) -> DeliveredOut:
        """Deliver intervals: JSON, CSV (`text/csv`) or Green Button (`application/atom+xml`).

        At most 50,000 in 16 MiB. Sent again it changes nothing; another value is a new version.
        422: the file is none; rows that cannot be read are told and hold up no other. Reports that
        rest on what changed are made again.
        """
        desk, site, found = _found(state, site_id, meter)
        read = _READERS.get(request.headers.get("content-type", "").partition(";")[0].strip())
        if read is None:
            raise HTTPException(415, f"Content-Type must be one of: {', '.join(_READERS)}")
        reading = Reading(
            meter=found,
            zone=known_zone(zone) if zone else site.time_zone,
            arrived=state.now(),
            issued_at=issued_at,
        )
        file = await _read(read, await request.body(), reading)
        return delivered_out(site_id, meter, file, await desk.deliver(site_id, meter, file.told))


def _add_shows(router: APIRouter, state: WebState) -> None:
    @router.get("/sites/{site_id}/meters", tags=["meters"])
    async def meters(site_id: str) -> list[MeterOut]:
        """The revenue meters of a site."""
        return [meter_out(one) for one in find_site(state, site_id).meters]

    @router.get(_METER + "/intervals", tags=["meters"], response_model=list[IntervalOut])
    async def intervals(
        site_id: str, meter: str, start: Start, end: End, known_at: KnownAt = None
    ) -> Response:
        """Intervals that start in `[start, end)`, as known now or at an instant."""
        desk, _, _ = _found(state, site_id, meter)
        found = await desk.intervals(site_id, meter, _window(start, end), known_at)
        content = await asyncio.to_thread(_written, found)  # a year of them takes a while
        return Response(content, media_type="application/json")

    @router.get(_METER + "/versions", tags=["meters"])
    async def versions(site_id: str, meter: str, start: Start) -> list[IntervalOut]:
        """Everything ever said of the interval with this start, in order of arrival."""
        desk, _, _ = _found(state, site_id, meter)
        return [interval_out(one) for one in await desk.versions(site_id, meter, start)]

    @router.get(_METER + "/missing", tags=["meters"])
    async def missing(site_id: str, meter: str, start: Start, end: End) -> list[GapOut]:
        """Stretches without a value that counts."""
        desk, _, found = _found(state, site_id, meter)
        gaps = await desk.missing(site_id, meter, _window(start, end))
        length = found.rules.length
        return [
            GapOut(start=one.start, end=one.end, intervals=-(-(one.duration or length) // length))
            for one in gaps
        ]


def _found(state: WebState, site_id: str, meter: str) -> tuple[MeterDesk, Site, SiteMeter]:
    if state.meters is None:
        raise HTTPException(404, "This gateway keeps no revenue meters")
    try:
        site, found = state.meters.meter(site_id, meter)
    except PermanentError as error:
        raise HTTPException(404, str(error)) from error
    return state.meters, site, found


def _written(found: Sequence[StoredInterval]) -> bytes:
    return _INTERVALS.dump_json([interval_out(one) for one in found])


async def _read(read: Reader, body: bytes, reading: Reading) -> ReadFile:
    try:
        return await asyncio.to_thread(read, body, reading)
    except PermanentError as error:
        raise HTTPException(422, str(error)) from error


def _window(start: AwareDatetime, end: AwareDatetime) -> Interval:
    if not timedelta(0) < end - start <= LONGEST:
        raise HTTPException(422, f"end must lie after start, at most {LONGEST.days} days")
    return Interval(start=start, end=end)
