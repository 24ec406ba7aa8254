"""The web application: pages, API, probes and static files over one `WebState`.

There is no sign-in yet: serve it on loopback (`contracts.http_server.serve`), or behind a proxy
that signs people in. Changes are accepted from our own pages and from programs only, never from
another site's page (`contracts.web.guard`). Nothing is fetched from elsewhere; there is no inline
script.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from contracts.errors import PermanentError, TransientError
from contracts.http_problem import install_problem_handlers, problem
from contracts.web.files import KeptFiles
from contracts.web.guard import Guard
from gateway.web.api import PREFIX, api_routes
from gateway.web.pages import page_routes
from gateway.web.probes import probe_routes
from gateway.web.rendering import STATIC, Pages
from gateway.web.state import WebState

MAX_BODY_BYTES = 64 * 1024
RETRY_AFTER_S = 5
_DESCRIPTION = """
What utilities asked, what the sites did, and why. SI units in every name (W, Wh, s); RFC 3339
times; intervals are `[start, end)`; import and charging are positive. Errors are problem documents
(RFC 9457). There is no sign-in yet: the API listens on loopback.
"""


def create_app(state: WebState) -> FastAPI:
    """The application; it holds no state but `state`, so a test may make as many as it likes."""
    app = FastAPI(
        title="Gridyard gateway",
        version="1",
        description=_DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        max_body_size=MAX_BODY_BYTES,
    )
    pages = Pages(state)
    _install_errors(app, pages)
    app.include_router(probe_routes(state))
    app.include_router(api_routes(state))
    app.include_router(page_routes(state, pages))
    app.mount("/static", KeptFiles(STATIC), name="static")
    app.add_middleware(Guard, allowed_hosts=state.allowed_hosts)
    return app


def _install_errors(app: FastAPI, pages: Pages) -> None:
    """Problem documents for programs; a page for people who asked for one."""
    install_problem_handlers(app)
    for_programs: Any = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if _wants_page(request):
            return pages.error(error.status_code, str(error.detail))
        answer: Response = await for_programs(request, error)
        return answer

    @app.exception_handler(TransientError)
    async def transient(request: Request, error: TransientError) -> Response:
        answer = problem(503, "Try again later", detail=str(error), instance=request.url.path)
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer

    @app.exception_handler(PermanentError)
    async def permanent(request: Request, error: PermanentError) -> Response:
        return problem(409, str(error), instance=request.url.path)


def _wants_page(request: Request) -> bool:
    is_api = request.url.path.startswith((PREFIX, "/static", "/metrics", "/readyz", "/healthz"))
    return not is_api and "text/html" in request.headers.get("accept", "")
