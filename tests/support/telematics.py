"""Fakes of Geotab and Samsara on real sockets, of the shape of their public descriptions."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from contracts.http_server import read_body, serve

Reply = tuple[int, Mapping[str, str], bytes]


def as_json(document: object, status: int = 200, **headers: str) -> Reply:
    told = {"content-type": "application/json", **headers}
    return status, told, json.dumps(document).encode()


@dataclass
class FakeApi:
    """Answers by a function; faults that are queued come first."""

    respond: Callable[[str, Mapping[str, str], Headers, bytes], Reply]
    faults: deque[Reply] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, max_bytes=1 << 20, within_s=10)
        query = {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()}
        self.asked.append(scope["path"])
        if self.faults:
            status, headers, content = self.faults.popleft()
        else:
            status, headers, content = self.respond(
                scope["path"], query, Headers(scope=scope), body
            )
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def listening(api: FakeApi) -> AsyncIterator[FakeApi]:
    """It answers while the block runs."""
    stopping = asyncio.Event()
    port: asyncio.Future[int] = asyncio.Future()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(api, host="127.0.0.1", port=0, stopping=stopping, ready=port.set_result)
        )
        api.url = f"http://127.0.0.1:{await port}"
        try:
            yield api
        finally:
            stopping.set()


@dataclass
class FakeSamsara:
    """One organisation: a feed whose cursor counts its events, and routes."""

    token: str = "samsara_api_token"
    events: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2

    def soc(self, vehicle: str, milli: object, at: str, name: str = "", vin: str = "") -> None:
        """A vehicle's state of charge."""
        ids = {"samsara.serial": "GABC123", **({"samsara.vin": vin} if vin else {})}
        stat = [{"time": at, "value": milli}]
        self.events.append(
            {"id": vehicle, "name": name or vehicle, "externalIds": ids,
             "evStateOfChargeMilliPercent": stat}
        )  # fmt: skip

    def respond(self, path: str, query: Mapping[str, str], headers: Headers, body: bytes) -> Reply:
        if headers.get("authorization") != f"Bearer {self.token}":
            return as_json({"message": "unauthorized"}, 401)
        if path == "/fleet/routes":
            return as_json(
                {"data": self.routes, "pagination": {"endCursor": "", "hasNextPage": False}}
            )
        if path != "/fleet/vehicles/stats/feed" or "evStateOf" not in query.get("types", ""):
            return as_json({"message": "not found"}, 404)
        first = int(query.get("after", "0"))
        data = self.events[first : first + self.page]
        end = first + len(data)
        pagination = {"endCursor": str(end), "hasNextPage": end < len(self.events)}
        return as_json({"data": data, "pagination": pagination})


@dataclass
class FakeGeotab:
    """One database: sessions, devices, a versioned feed and routes."""

    password: str = "geotab-password"
    path: str = "ThisServer"
    devices: list[dict[str, Any]] = field(default_factory=list)
    data: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    session: int = 0
    calls: list[str] = field(default_factory=list)

    def soc(self, device: str, pct: object, at: str) -> None:
        """A device's state of charge."""
        self.data.append(
            {"data": pct, "dateTime": at, "device": {"id": device}, "id": f"a{len(self.data)}",
             "diagnostic": {"id": "DiagnosticStateOfChargeId"}, "controller": "ControllerNoneId",
             "version": f"{len(self.data) + 1:016x}"}
        )  # fmt: skip

    def expire(self) -> None:
        """Every session so far ends."""
        self.session += 1

    def respond(self, path: str, query: Mapping[str, str], headers: Headers, body: bytes) -> Reply:
        call = json.loads(body)
        method, params = call["method"], call["params"]
        self.calls.append(method)
        if path != "/apiv1":
            return as_json({}, 404)
        if method == "Authenticate":
            if params["password"] != self.password:
                return self.error("InvalidUserException")
            told = {"database": params["database"], "userName": params["userName"]}
            credentials = told | {"sessionId": f"s{self.session}"}
            return self.result({"credentials": credentials, "path": self.path})
        if params["credentials"]["sessionId"] != f"s{self.session}":
            return self.error("InvalidUserException")
        if method == "GetFeed":
            first = int(params.get("fromVersion", "0"), 16)
            found = self.data[first : first + params["resultsLimit"]]
            return self.result({"data": found, "toVersion": f"{first + len(found):016x}"})
        kinds = {"Device": self.devices, "Route": self.routes}
        return self.result(kinds[params["typeName"]])

    @staticmethod
    def result(found: object) -> Reply:
        return as_json({"result": found, "jsonrpc": "2.0"})

    @staticmethod
    def error(name: str) -> Reply:
        fault = {"name": "JSONRPCError", "message": "Incorrect login for bob", "code": -32000,
                 "data": {"id": "x", "type": name, "requestIndex": 0},
                 "errors": [{"name": name, "message": "Incorrect login for bob"}]}  # fmt: skip
        return as_json({"error": fault, "jsonrpc": "2.0", "requestIndex": 0})
