"""The agent's web server: one application of several parts, on one address.

It is the last thing a depot needs: where it cannot listen or one of its answers fails, charging
goes on, and it tries again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from contracts.errors import ConfigError, PermanentError
from contracts.http_problem import install_problem_handlers
from contracts.http_server import serve
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock
from contracts.web.files import KeptFiles
from contracts.web.guard import Guard
from site_agent.config.web import WebSettings, WebTlsSettings
from site_agent.web.rendering import STATIC
from site_agent.web.sign_in import SignIn, read_password

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Of a request: a fleet's whole roster as CSV has room."""
_RETRY_S = 30.0
_DESCRIPTION = """
One depot, as its own agent sees it. SI units in every name (W, Wh, A, s); RFC 3339 times; intervals
are `[start, end)`; import and charging are positive. Errors are problem documents (RFC 9457).
"""
ErrorPage = Callable[[int, str], Response]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some routes of the application."""

    router: APIRouter
    own_access: tuple[str, ...] = ()
    """Beginnings of its paths whose routes check their callers themselves (with tokens); all else
    needs the site's password where there is one."""


class WebServer:
    """Serves the parts until cancelled, or until `stopping` is set."""

    def __init__(
        self,
        settings: WebSettings,
        parts: Sequence[Part],
        clock: Clock,
        stopping: asyncio.Event,
        error_page: ErrorPage | None = None,
    ) -> None:
        """Make the application; see `create_app`.

        Raises:
            ConfigError: password file or certificate cannot be used.
        """
        self._settings = settings
        self._clock = clock
        self._stopping = stopping
        self._tls = None if settings.tls is None else _context(settings.tls)
        self.app = create_app(settings, parts, clock, error_page)
        self.ready = asyncio.Event()
        """Set once it listens, or once it is clear that it cannot now."""
        self.port: int | None = None
        """Where it listens; None: nowhere."""
        self._ended = asyncio.Event()

    async def close(self) -> None:
        """Wait, once `stopping` is set, until every browser has been told the end."""
        await self._ended.wait()

    async def run(self) -> None:
        """Serve; an address that is taken is tried again."""
        try:
            await self._serve()
        finally:
            self._ended.set()

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                await serve(
                    self.app,
                    host=self._settings.host,
                    port=self._settings.port,
                    stopping=self._stopping,
                    tls=self._tls,
                    ready=self._listens,
                )
            except PermanentError as error:
                _log.warning("web: no page for now", why=str(error))
                self.port = None
                self.ready.set()
                await first_of(self._clock.sleep(_RETRY_S), self._stopping.wait())
            heed_cancellation()

    def _listens(self, port: int) -> None:
        self.port = port
        self.ready.set()
        scheme = "http" if self._tls is None else "https"
        _log.info("web: page is served", url=f"{scheme}://{self._settings.host}:{port}/")


def create_app(
    settings: WebSettings,
    parts: Sequence[Part],
    clock: Clock,
    error_page: ErrorPage | None = None,
) -> FastAPI:
    """The application of all parts; `error_page` is shown to people who asked for a page.

    Raises:
        ConfigError: the password file cannot be used.
    """
    app = FastAPI(
        title="Gridyard site",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
    )
    install_problem_handlers(app)
    if error_page is not None:
        _show(app, error_page)
    for part in parts:
        app.include_router(part.router)
    app.mount("/static", KeptFiles(STATIC), name="static")
    if settings.password_file is not None:
        free = [path for part in parts for path in part.own_access]
        password = read_password(settings.password_file)
        app.add_middleware(SignIn, password=password, clock=clock, free=free)
    app.add_middleware(Guard, allowed_hosts=settings.allowed_hosts)
    return app


def _show(app: FastAPI, error_page: ErrorPage) -> None:
    """Errors as pages for people; programs get problem documents."""
    for_programs: Any = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        people = "text/html" in request.headers.get("accept", "")
        if people and not request.url.path.startswith(("/api", "/static")):
            return error_page(error.status_code, str(error.detail))
        answer: Response = await for_programs(request, error)
        return answer


def _context(tls: WebTlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"web: {tls.cert}, {tls.key}: cannot be used: {error}") from error
    return context
