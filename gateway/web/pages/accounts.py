"""A site's energy account as a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from gateway.domain.accounts.month import Month
from gateway.web.account_view import account_view
from gateway.web.api.account_mapping import account_out
from gateway.web.api.accounts import asked_account
from gateway.web.lookup import find_site
from gateway.web.rendering import Pages
from gateway.web.state import WebState

_CONFLICT = 409


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/sites/{id}/accounts?month=`."""

    @router.get("/sites/{site_id}/accounts")
    async def page(site_id: str, month: Annotated[str, Query(max_length=7)] = "") -> HTMLResponse:
        site, view, problem = find_site(state, site_id), None, ""
        try:
            found = account_out(await asked_account(state, site_id, month or None))
            view = account_view(found, site.time_zone)
        except HTTPException as error:
            if error.status_code != _CONFLICT:
                raise
            problem = str(error.detail)
        return pages.page(
            "accounts.html",
            site=site,
            view=view,
            problem=problem,
            month=month or str(Month.of(state.now(), site.time_zone)),
        )
