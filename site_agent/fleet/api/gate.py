"""What every request passes: who asks, how fast, how much, and whether it was asked before."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from contracts.errors import PermanentError, TransientError
from contracts.http_problem import problem
from contracts.http_server import RequestError, read_body
from contracts.pace import Pace
from contracts.time import Clock
from site_agent.config.fleet_systems import FleetApiSettings
from site_agent.domain.fleet.known import ConflictError, InvalidFactsError
from site_agent.fleet.files.faults import FileFaultsError
from site_agent.fleet.tokens import Holder, holder_of
from site_agent.flows.fleet.answers import AnswerStore, KeptAnswer
from site_agent.flows.fleet.roster import StaleRevisionError

MAX_BODY_BYTES = 1024 * 1024
_BODY_S = 20.0
KEPT_FOR = timedelta(hours=24)
"""How long an answer is given again."""
_LONGEST_KEY = 255
_RETRY_S = 5
_KEPT_HEADERS = ("content-type", "etag", "location")
_STATUS: tuple[tuple[type[PermanentError], int], ...] = (
    (StaleRevisionError, 412),
    (ConflictError, 409),
)
_READING = frozenset({"GET", "HEAD"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that may be carried out."""

    request: Request
    holder: Holder
    body: bytes
    at: datetime


Work = Callable[[Call], Awaitable[Response]]


class Gate:
    """Carries requests out for those who may, and turns errors into problem documents."""

    def __init__(self, settings: FleetApiSettings, answers: AnswerStore, clock: Clock) -> None:
        self._settings = settings
        self._answers = answers
        self._clock = clock
        self._pace = Pace(settings.requests_per_minute, clock)
        self._under_way: set[tuple[str, str]] = set()

    async def answer(self, request: Request, work: Work) -> Response:
        """The answer to a request, whatever becomes of it."""
        try:
            holder = self._admitted(request)
            body = await read_body(request.receive, max_bytes=MAX_BODY_BYTES, within_s=_BODY_S)
            call = Call(request=request, holder=holder, body=body, at=self._clock.now())
            return await self._once(call, work)
        except RequestError as error:
            return problem(error.status, str(error), instance=request.url.path)
        except (PermanentError, TransientError) as error:
            return _problem(error, request.url.path)

    def _admitted(self, request: Request) -> Holder:
        holder = holder_of(request.headers.get("authorization", ""), self._settings.tokens)
        if holder is None:
            peer = "" if request.client is None else request.client.host
            if (wait_s := self._pace.wait_s(f" {peer}")) > 0:
                raise _too_fast(wait_s)
            raise HTTPException(
                401,
                "Send a token of this site: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": 'Bearer realm="Gridyard fleet"'},
            )
        if (wait_s := self._pace.wait_s(holder.name)) > 0:
            raise _too_fast(wait_s)
        scope = "fleet:read" if request.method in _READING else "fleet:write"
        if scope not in holder.scopes:
            told = f'Bearer error="insufficient_scope", scope="{scope}"'
            raise HTTPException(403, f"This token has no scope {scope}", {"WWW-Authenticate": told})
        return holder

    async def _once(self, call: Call, work: Work) -> Response:
        """A request with a key is carried out once; sent again, it gets the same answer.

        IETF draft "The Idempotency-Key HTTP Header Field", 2.6 and 2.7: 409 while the first is
        under way, 422 when the key was used for another request.
        """
        key = call.request.headers.get("idempotency-key", "").strip('"')
        if not key or call.request.method in _READING:
            return await work(call)
        if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise HTTPException(400, f"Idempotency-Key: 1 to {_LONGEST_KEY} printable signs")
        name = (call.holder.name, key)
        if name in self._under_way:
            raise HTTPException(409, "The request with this Idempotency-Key is still under way")
        self._under_way.add(name)
        try:
            return await self._kept(call, work, key)
        finally:
            self._under_way.discard(name)

    async def _kept(self, call: Call, work: Work, key: str) -> Response:
        digest = _digest(call)
        before = await self._answers.find(call.holder.name, key)
        if before is not None and before.digest != digest:
            raise HTTPException(422, "This Idempotency-Key was used for another request")
        if before is not None:
            headers = {**before.headers, "Idempotency-Replayed": "true"}
            return Response(before.body, before.status, headers)
        try:
            answer = await work(call)
        except PermanentError as error:
            answer = _problem(error, call.request.url.path)
        headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        kept = KeptAnswer(
            digest=digest, status=answer.status_code, headers=headers, body=bytes(answer.body)
        )
        await self._answers.keep(call.holder.name, key, kept, call.at, call.at - KEPT_FOR)
        return answer


def _digest(call: Call) -> str:
    request = call.request
    conditions = [request.headers.get(name, "") for name in ("if-match", "if-none-match")]
    head = "\n".join([request.method, request.url.path, request.url.query, *conditions])
    return hashlib.sha256(head.encode() + b"\n" + call.body).hexdigest()


def _too_fast(wait_s: float) -> HTTPException:
    return HTTPException(429, "Too many requests", {"Retry-After": str(math.ceil(wait_s))})


def _problem(error: PermanentError | TransientError, path: str) -> Response:
    if isinstance(error, InvalidFactsError):
        faults = [{"pointer": one.pointer, "detail": one.detail} for one in error.faults]
        title = f"Vehicle {error.vehicle_id!r} cannot be so"
        return problem(422, title, instance=path, errors=faults)
    if isinstance(error, FileFaultsError):
        lines = [
            {"line": one.line, "column": one.column, "detail": one.detail} for one in error.faults
        ]
        return problem(422, "Nothing of the file was taken", instance=path, errors=lines)
    if isinstance(error, TransientError):
        _log.error("fleet api: not stored", why=str(error))
        answer = problem(503, "Try again later", detail=str(error), instance=path)
        answer.headers["Retry-After"] = str(_RETRY_S)
        return answer
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
    return problem(status, str(error), instance=path)
