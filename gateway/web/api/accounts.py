"""`/api/v1/sites/{site_id}/accounts`: a site's month in energy, money and carbon."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from contracts.errors import ConfigError, PermanentError
from gateway.domain.accounts.account import Account
from gateway.domain.accounts.month import Month
from gateway.web.api.account_mapping import account_out
from gateway.web.api.account_schemas import AccountOut
from gateway.web.state import WebState


def add_routes(router: APIRouter, state: WebState) -> None:
    """Energy accounts."""

    @router.get("/sites/{site_id}/accounts", tags=["sites"])
    async def energy_account(
        site_id: str,
        month: Annotated[
            str | None,
            Query(max_length=7, description="Such as 2026-10; by default the running one."),
        ] = None,
    ) -> AccountOut:
        """Whose energy it was, where it came from, what it should cost and what it emitted."""
        return account_out(await asked_account(state, site_id, month))


async def asked_account(state: WebState, site_id: str, month: str | None) -> Account:
    """The account of a month, by default of the running one.

    Raises:
        HTTPException: 404, there is no such site; 422, that is no month; 409, there is nothing of
            it yet, or a file it needs cannot be read.
    """
    if state.accounts is None:
        raise HTTPException(404, "This gateway keeps no energy accounts")
    if state.portfolio.site(site_id) is None:
        raise HTTPException(404, f"There is no site {site_id!r}")
    try:
        wanted = None if month is None else Month.parse(month)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    try:
        return await state.accounts.of(site_id, wanted)
    except (PermanentError, ConfigError, ValueError) as error:
        raise HTTPException(409, str(error)) from error
