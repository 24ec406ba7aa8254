"""Find the statement that a subject and a period name, or answer in words."""

from __future__ import annotations

from fastapi import HTTPException

from contracts.errors import PermanentError
from gateway.domain.portfolio import Site
from gateway.domain.settle.account import PeriodStatement
from gateway.web.state import WebState


async def find_statement(
    state: WebState, subject: str, period: str, version: int | None = None
) -> PeriodStatement:
    """A program's statement, or of the newest what is a site's.

    Raises:
        HTTPException: 404 no such subject, version or no statement yet; 422 no such period.
    """
    site = _site(state, subject)
    try:
        if site is not None:
            found = await state.statements.of_site(site, period)
        else:
            found = await state.statements.of_program(subject, period, version)
    except PermanentError as error:
        raise HTTPException(422, str(error)) from error
    if found is None:
        which = "no statement yet" if version is None else f"no version {version}"
        what = f"There is {which} of {subject!r} for {period!r}"
        raise HTTPException(404, f"{what}: settle it first")
    return found


async def settle(state: WebState, subject: str, period: str) -> PeriodStatement:
    """Make the statement anew from what is known now: of a program, or of all a site's programs.

    Raises:
        HTTPException: 404 no such subject; 422 no such period.
    """
    site = _site(state, subject)
    try:
        if site is None:
            return await state.statements.settle(subject, period)
        await state.statements.settle_site(site, period)
    except PermanentError as error:
        raise HTTPException(422, str(error)) from error
    return await find_statement(state, subject, period)


def _site(state: WebState, subject: str) -> Site | None:
    site = state.portfolio.site(subject)
    if site is None and state.portfolio.program(subject) is None:
        raise HTTPException(404, f"There is no program and no site {subject!r}")
    return site
