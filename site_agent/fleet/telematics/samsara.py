"""Samsara's REST API: the feed of vehicle stats, and routes.

As its public reference describes `GET /fleet/vehicles/stats/feed` (types, after, pagination) and
`GET /fleet/routes`; states of charge come in thousandths of a per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from contracts.errors import ProtocolError
from site_agent.fleet.telematics.seen import (
    Page,
    RouteSeen,
    SocSeen,
    Who,
    instant,
    items,
    part,
    percent,
    text,
)
from site_agent.fleet.telematics.web import Web

SOC = "evStateOfChargeMilliPercent"
_MILLI = 0.001
_MOST_PAGES = 20


class Samsara:
    """`Provider` for one organisation; `token` is asked at every request."""

    def __init__(self, web: Web, url: str, token: Callable[[], str]) -> None:
        self._web = web
        self._url = url.rstrip("/")
        self._token = token

    async def states(self, cursor: str | None) -> Page:
        """News of states of charge since `cursor`; None: the last known of each vehicle."""
        params = {"types": SOC} | ({"after": cursor} if cursor else {})
        answer = await self._get("/fleet/vehicles/stats/feed", params)
        vehicles = items(part(answer, "data"))
        told = [item for one in vehicles for item in items(part(one, SOC))]
        states = [seen for one in vehicles for seen in _states(one)]
        return Page(
            states=states,
            cursor=text(part(answer, "pagination", "endCursor")) or (cursor or ""),
            more=part(answer, "pagination", "hasNextPage") is True,
            skipped=len(told) - len(states),
        )

    async def routes(self, since: datetime, until: datetime) -> Sequence[RouteSeen]:
        """Routes with a vehicle that are planned to begin in `[since, until)`."""
        params = {"startTime": _stamp(since), "endTime": _stamp(until), "limit": "512"}
        found: list[RouteSeen] = []
        for _ in range(_MOST_PAGES):
            answer = await self._get("/fleet/routes", params)
            found += [route for one in items(part(answer, "data")) for route in _route(one)]
            cursor = text(part(answer, "pagination", "endCursor"))
            if part(answer, "pagination", "hasNextPage") is not True or not cursor:
                return [one for one in found if since <= one.departs < until]
            params = params | {"after": cursor}
        raise ProtocolError(f"routes go on after {_MOST_PAGES} pages")

    async def _get(self, path: str, params: dict[str, str]) -> object:
        headers = {"Authorization": f"Bearer {self._token()}"}
        answer = await self._web.ask("GET", self._url + path, params=params, headers=headers)
        if not isinstance(part(answer, "data"), list):
            raise ProtocolError(f"{path}: no data")
        return answer


def _who(one: object) -> Who:
    return Who(
        external_id=text(part(one, "id")),
        name=text(part(one, "name")),
        vin=text(part(one, "externalIds", "samsara.vin")) or text(part(one, "vin")),
    )


def _states(one: object) -> Iterator[SocSeen]:
    for told in items(part(one, SOC)):
        pct, at = percent(part(told, "value"), _MILLI), instant(part(told, "time"))
        if pct is not None and at is not None and text(part(one, "id")):
            yield SocSeen(who=_who(one), pct=pct, at=at)


def _route(one: object) -> Iterator[RouteSeen]:
    """From the depot's first to the last stop; an estimate goes before the schedule."""
    stops = items(part(one, "stops"))
    first, last = (stops[0], stops[-1]) if stops else (None, None)
    departs = instant(part(one, "scheduledRouteStartTime")) or instant(
        part(first, "scheduledDepartureTime")
    )
    ends = (
        part(one, "actualRouteEndTime"),
        part(last, "eta"),
        part(one, "scheduledRouteEndTime"),
        part(last, "scheduledArrivalTime"),
    )
    returns = next((at for at in map(instant, ends) if at is not None), None)
    vehicle, route_id = part(one, "vehicle"), text(part(one, "id"))
    if departs is None or not route_id or not text(part(vehicle, "id")):
        return
    known = returns if returns is not None and returns > departs else None
    yield RouteSeen(who=_who(vehicle), route_id=route_id, departs=departs, returns=known)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
