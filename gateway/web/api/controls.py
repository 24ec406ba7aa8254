"""`/api/v1/controls`: taking sites out of the controls of utilities, and back in."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Response

from gateway.web.api import binding_schemas, mapping, schemas
from gateway.web.api.idempotency import Answers
from gateway.web.lookup import find_control, find_site
from gateway.web.opting_out import choose
from gateway.web.state import WebState

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="Repeat safely with the same key."),
]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Controls of a site, and a person's choice about one."""
    answers = Answers()

    @router.get("/sites/{site_id}/controls", tags=["sites"])
    async def controls(site_id: str) -> list[binding_schemas.ControlOut]:
        """Controls of utilities that bind the site or will, and whether it takes part."""
        found = state.controls.of_site(find_site(state, site_id).site_id)
        return [mapping.control_out(one) for one in found]

    @router.post("/controls/{utility_id}/{control_id}/opt-outs", tags=["controls"], status_code=201)
    async def opt_outs(
        utility_id: str,
        control_id: str,
        wanted: schemas.OptOutIn,
        response: Response,
        idempotency_key: Key = None,
    ) -> binding_schemas.ControlChoiceOut:
        """Take one site out of the control. 201 the first time, 200 when it was out already.

        409 when the utility's settings let nobody opt out of it.
        """
        return await _choose("out", utility_id, control_id, wanted, response, idempotency_key)

    @router.post("/controls/{utility_id}/{control_id}/opt-ins", tags=["controls"], status_code=201)
    async def opt_ins(
        utility_id: str,
        control_id: str,
        wanted: schemas.OptOutIn,
        response: Response,
        idempotency_key: Key = None,
    ) -> binding_schemas.ControlChoiceOut:
        """Let one site take part again. 201 when it had opted out, 200 when it took part."""
        return await _choose("in", utility_id, control_id, wanted, response, idempotency_key)

    async def _choose(
        way: Literal["out", "in"],
        utility_id: str,
        control_id: str,
        wanted: schemas.OptOutIn,
        response: Response,
        key: str | None,
    ) -> binding_schemas.ControlChoiceOut:
        control = find_control(state, utility_id, control_id, wanted.site_id)
        asked = f"{way} {utility_id}/{control.control_id} {wanted.model_dump_json()}"
        answers.check(key, asked)
        if not await choose(state, control, way, wanted.reason):
            response.status_code = 200
        return binding_schemas.ControlChoiceOut(
            utility_id=utility_id,
            control_id=control.control_id,
            site_id=control.site_id,
            opted_out=way == "out",
        )
