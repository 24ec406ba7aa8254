"""The API's own page, made from its OpenAPI description: nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.web.rendering import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation."""

    method: str
    path: str
    text: str


def add_routes(router: APIRouter, pages: Pages) -> None:
    """`/api`."""

    @router.get("/api")
    async def guide(request: Request) -> HTMLResponse:
        description: Mapping[str, Any] = request.app.openapi()
        return pages.page(
            "api.html",
            description=description["info"]["description"],
            openapi_url=request.app.openapi_url,
            groups=endpoints(description),
        )


def endpoints(description: Mapping[str, Any]) -> dict[str, list[Endpoint]]:
    """Operations of an OpenAPI description by their first tag, in its order."""
    groups: dict[str, list[Endpoint]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            text = operation.get("description", operation.get("summary", ""))
            found = Endpoint(method=method.upper(), path=path, text=text)
            groups.setdefault(operation["tags"][0], []).append(found)
    return groups
