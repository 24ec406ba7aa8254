"""Geotab's MyGeotab API: JSON-RPC by POST, sessions, and the feed of status data.

As its public SDK describes `Authenticate` (the session, and the server to go on with), `GetFeed`
of `StatusData` (`toVersion` is the next call's `fromVersion`), `Get` of `Device` and of `Route`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.time import Clock
from site_agent.fleet.telematics.seen import (
    Page,
    RateLimitedError,
    RouteSeen,
    SocSeen,
    Who,
    instant,
    items,
    part,
    percent,
    text,
)
from site_agent.fleet.telematics.web import UnauthorizedError, Web

SOC = "DiagnosticStateOfChargeId"
_MOST = 1000
_MOST_DEVICES = 5000
_DEVICES_EVERY_S = 3600.0
_LOOK_BACK = timedelta(hours=24)
_SAME = "ThisServer"
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_BUSY = ("DbUnavailableException", "ServerUnavailableException", "TimeoutException")
_TOO_FAST = "OverLimitException"
_UNKNOWN = "InvalidUserException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose data; the password is asked when a session is needed."""

    database: str
    user: str
    password: Callable[[], str]


class Geotab:
    """`Provider` for one database."""

    def __init__(self, web: Web, url: str, account: Account, clock: Clock) -> None:
        self._web = web
        self._home = self._url = url.rstrip("/")
        self._account = account
        self._clock = clock
        self._session: Mapping[str, str] | None = None
        self._devices: Mapping[str, Who] = {}
        self._devices_at_s: float | None = None

    async def states(self, cursor: str | None) -> Page:
        """News of states of charge since `cursor`; None: those of the last 24 h."""
        devices = await self._known()
        params: dict[str, object] = {"typeName": "StatusData", "resultsLimit": _MOST}
        search: dict[str, object] = {"diagnosticSearch": {"id": SOC}}
        if cursor:
            params["fromVersion"] = cursor
        else:
            search["fromDate"] = _stamp(self._clock.now() - _LOOK_BACK)
        result = await self._call("GetFeed", params | {"search": search})
        told = items(part(result, "data"))
        version = text(part(result, "toVersion"))
        if not version or part(result, "data") is None:
            raise ProtocolError("GetFeed: no data or toVersion")
        mine = [one for one in told if text(part(one, "diagnostic", "id")) == SOC]
        states = [seen for one in mine for seen in _state(one, devices)]
        return Page(
            states=states,
            cursor=version,
            more=len(told) >= _MOST,
            skipped=len(mine) - len(states),
        )

    async def routes(self, since: datetime, until: datetime) -> Sequence[RouteSeen]:
        """Planned routes with a vehicle that begin in `[since, until)`."""
        devices = await self._known()
        search = {"fromDate": _stamp(since), "toDate": _stamp(until)}
        params = {"typeName": "Route", "search": search, "resultsLimit": _MOST}
        found = items(await self._call("Get", params))
        routes = [seen for one in found for seen in _route(one, devices)]
        return [one for one in routes if since <= one.departs < until]

    async def _known(self) -> Mapping[str, Who]:
        """The fleet's devices by id, asked anew once an hour."""
        now_s = self._clock.monotonic()
        if self._devices_at_s is None or now_s - self._devices_at_s >= _DEVICES_EVERY_S:
            params = {"typeName": "Device", "resultsLimit": _MOST_DEVICES}
            found = items(await self._call("Get", params))
            self._devices = {one.external_id: one for one in map(_device, found)}
            self._devices_at_s = now_s
        return self._devices

    # --- calls and sessions -----------------------------------------------------------------------

    async def _call(self, method: str, params: Mapping[str, object]) -> object:
        """A call with our session; one that has run out is made anew, once."""
        fresh = self._session is None
        if fresh:
            await self._authenticate()
        try:
            return await self._post(method, {**params, "credentials": self._session})
        except UnauthorizedError:
            self._session = None
            if fresh:
                raise
        await self._authenticate()
        return await self._post(method, {**params, "credentials": self._session})

    async def _authenticate(self) -> None:
        account = self._account
        self._url = self._home
        login = {
            "database": account.database,
            "userName": account.user,
            "password": account.password(),
        }
        result = await self._post("Authenticate", login)
        told = part(result, "credentials")
        names = ("database", "sessionId", "userName")
        session = {name: text(part(told, name)) for name in names}
        if not all(session.values()):
            raise ProtocolError("Authenticate: no session")
        self._url = _server(self._home, text(part(result, "path")))
        self._session = session

    async def _post(self, method: str, params: Mapping[str, object]) -> object:
        url = f"{self._url}/apiv1"
        answer = await self._web.ask("POST", url, json={"method": method, "params": params})
        error = part(answer, "error")
        if error is not None:
            raise _failure(method, error)
        if not isinstance(answer, dict) or "result" not in answer:
            raise ProtocolError(f"{method}: neither result nor error")
        return answer["result"]


def _server(home: str, path: str) -> str:
    """Where to go on: the federation may send us to another server of its own, nowhere else."""
    if path in ("", _SAME):
        return home
    host = urlsplit(home).hostname or ""
    domain = ".".join(host.split(".")[-2:])
    if not _HOST.fullmatch(path) or not path.lower().endswith(f".{domain}"):
        raise ProtocolError("Authenticate: sends us to another domain")
    return f"https://{path}"


def _failure(method: str, error: object) -> Exception:
    """A JSON-RPC error by its name; its message may hold the user's name, so it is left out."""
    listed = [text(part(one, "name")) for one in items(part(error, "errors"))]
    named = {text(part(error, "data", "type")), text(part(error, "name")), *listed} - {""}
    if _TOO_FAST in named:
        return RateLimitedError(f"{method}: {_TOO_FAST}", None)
    if _UNKNOWN in named:
        return UnauthorizedError(f"{method}: user, password or session do not hold")
    if named.intersection(_BUSY):
        return TransientError(f"{method}: {', '.join(sorted(named))}")
    return PermanentError(f"{method}: refused: {', '.join(sorted(named))[:100]}")


# --- records --------------------------------------------------------------------------------------


def _device(one: object) -> Who:
    return Who(
        external_id=text(part(one, "id")),
        name=text(part(one, "name")),
        vin=text(part(one, "vehicleIdentificationNumber")),
    )


def _state(one: object, devices: Mapping[str, Who]) -> Iterator[SocSeen]:
    who = devices.get(text(part(one, "device", "id")))
    pct, at = percent(part(one, "data")), instant(part(one, "dateTime"))
    if who is not None and pct is not None and at is not None:
        yield SocSeen(who=who, pct=pct, at=at)


def _route(one: object, devices: Mapping[str, Who]) -> Iterator[RouteSeen]:
    who, route_id = devices.get(text(part(one, "device", "id"))), text(part(one, "id"))
    stops = [
        instant(part(stop, "dateTime")) for stop in items(part(one, "routePlanItemCollection"))
    ]
    times = sorted(at for at in stops if at is not None)
    departs = instant(part(one, "startTime")) or (times[0] if times else None)
    returns = instant(part(one, "endTime")) or (times[-1] if times else None)
    if who is None or departs is None or not route_id:
        return
    known = returns if returns is not None and returns > departs else None
    yield RouteSeen(who=who, route_id=route_id, departs=departs, returns=known)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
