"""Errors of a FastAPI application as `application/problem+json` (RFC 9457), all of them."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_log = structlog.get_logger(__name__)


def problem(status: int, title: str, **more: object) -> JSONResponse:
    """A problem document; `more` are extra members (RFC 9457, 3.2)."""
    body = {"type": "about:blank", "title": title, "status": status, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def install_problem_handlers(app: FastAPI) -> None:
    """Answer unknown paths, wrong methods, invalid bodies and crashes as problem documents."""

    # Starlette's class, not FastAPI's: only that one covers unknown routes and wrong methods.
    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail), instance=request.url.path)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            {"pointer": "/" + "/".join(map(str, fault["loc"][1:])), "detail": fault["msg"]}
            for fault in error.errors()
        ]
        return problem(422, "The request is not valid", instance=request.url.path, errors=faults)

    @app.exception_handler(Exception)
    async def crash(request: Request, error: Exception) -> JSONResponse:
        _log.error("http_crash", path=request.url.path, exc_info=error)
        return problem(500, "Internal error", instance=request.url.path)
