"""`/api/v1/statements`: what a program owes for a month or season, and what of it is a site's."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, TypeAdapter

from gateway.domain.settle.account import PeriodStatement
from gateway.reports.files import MEDIA_TYPES
from gateway.reports.statement.files import statement_file, statement_name
from gateway.web.readers import named_file
from gateway.web.state import WebState
from gateway.web.statement_lookup import find_statement, settle

Subject = Annotated[str, Query(max_length=200, description="Id of a program or of a site.")]
Period = Annotated[str, Query(max_length=60, description="Such as 2026-10, or 2026-summer.")]
Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="Of a program's.")]
Format = Literal["pdf", "csv", "xlsx", "parquet"]
_DOCUMENT: TypeAdapter[PeriodStatement] = TypeAdapter(PeriodStatement)


class SettleIn(BaseModel):
    """What to make a statement of."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    """Id of a program, or of a site: then of all its programs."""
    period: Annotated[str, Field(max_length=60)]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Statements, their making and their files."""

    @router.post("/statements", tags=["statements"], response_model=PeriodStatement)
    async def make(wanted: SettleIn) -> Response:
        """Make it from what is known now. A new version only where something is another."""
        return _json(await settle(state, wanted.subject, wanted.period))

    @router.get("/statements", tags=["statements"], response_model=PeriodStatement)
    async def statement(subject: Subject, period: Period, version: Version = None) -> Response:
        """A version of a program's statement, or the newest; of a site, its part of the newest."""
        return _json(await find_statement(state, subject, period, version))

    @router.get(
        "/statements/{format}",
        tags=["statements"],
        response_class=Response,
        responses={200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}}},
    )
    async def file(
        format: Format, subject: Subject, period: Period, version: Version = None
    ) -> Response:
        """The same as a file."""
        found = await find_statement(state, subject, period, version)
        content = await statement_file(found, format)
        name = statement_name(found, format)
        return named_file(content, MEDIA_TYPES[format], name, inline=format == "pdf")


def _json(statement: PeriodStatement) -> Response:
    return Response(_DOCUMENT.dump_json(statement), media_type="application/json")
