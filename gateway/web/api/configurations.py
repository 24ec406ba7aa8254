"""`/api/v1/configurations` and `/api/v1/sites/.../configuration`: sites' settings from here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, HTTPException

from contracts.errors import ProtocolError
from gateway.flows.sites.configuring import Configuring
from gateway.web.api import configuration_schemas as schemas
from gateway.web.lookup import find_site
from gateway.web.state import WebState

_OF_SITE = "/sites/{site_id}/configuration"


def add_routes(router: APIRouter, state: WebState) -> None:
    """Looking, checking, pushing, going back."""

    @router.get(_OF_SITE, tags=["configuration"])
    async def configuration(site_id: str) -> schemas.ConfigurationOut:
        """With which settings a site runs, and all that was pushed to it, newest first."""
        return await _of_site(_desk(state), find_site(state, site_id).site_id)

    @router.post(_OF_SITE + "/checks", tags=["configuration"])
    async def check(site_id: str, wanted: schemas.CheckIn) -> schemas.CheckOut:
        """Ask a site what settings would change there and what is against them; none is taken.

        503 while the site is not there: only its agent can tell.
        """
        find_site(state, site_id)
        with _readable():
            return schemas.check_out(await _desk(state).check(site_id, wanted.text))

    @router.post(_OF_SITE + "/rollbacks", tags=["configuration"], status_code=201)
    async def roll_back(site_id: str, wanted: schemas.WhoIn) -> schemas.PushedOut:
        """Push what the site had before its newest configuration; 409 when there was none."""
        find_site(state, site_id)
        one = await _desk(state).roll_back(site_id, by=wanted.by, cause=wanted.reason)
        return schemas.pushed_out(one)

    @router.post("/configurations", tags=["configuration"], status_code=201)
    async def push(wanted: schemas.PushIn) -> list[schemas.PushedOut]:
        """Let sites run with settings over those of their own files; each checks them itself.

        A site that is offline gets them when it comes. Electrical limits can only be tightened.
        """
        sites = wanted.sites or tuple(site.site_id for site in state.portfolio.sites)
        for site_id in sites:
            find_site(state, site_id)
        with _readable():
            added = await _desk(state).push(
                sites,
                wanted.text,
                by=wanted.by,
                cause=wanted.reason,
                at=wanted.at,
                first=wanted.first,
            )
        return [schemas.pushed_out(one) for one in added]


async def _of_site(desk: Configuring, site_id: str) -> schemas.ConfigurationOut:
    pushed = [schemas.pushed_out(one) for one in await desk.history(site_id)]
    agent = schemas.running_out(desk.state(site_id))
    return schemas.ConfigurationOut(site_id=site_id, agent=agent, pushed=pushed[::-1])


def _desk(state: WebState) -> Configuring:
    if state.configuring is None:
        raise HTTPException(404, "This gateway changes no settings of sites")
    return state.configuring


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ProtocolError as error:
        raise HTTPException(422, f"text: {error}") from error
