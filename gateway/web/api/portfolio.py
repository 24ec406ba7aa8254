"""`/api/v1/portfolio`: everything at this moment."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.web.api import mapping, schemas
from gateway.web.snapshot import take
from gateway.web.state import WebState


def add_routes(router: APIRouter, state: WebState) -> None:
    """The portfolio now."""

    @router.get("/portfolio", tags=["portfolio"])
    async def portfolio() -> schemas.PortfolioOut:
        """The portfolio at this moment, with the state of every utility and raised notices."""
        health = list(state.utilities())
        return mapping.portfolio_out(await take(state), state.simulated, health)
