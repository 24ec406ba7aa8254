"""The utility's own side of its VTN: tell it what to do, play scenarios, read what came of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import PlainTextResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from vtn_sim.openadr.actions import Action
from vtn_sim.openadr.court import Court, outcome_of
from vtn_sim.openadr.director import Director
from vtn_sim.openadr.faults import EVERY
from vtn_sim.openadr.procedures import procedure, procedures
from vtn_sim.openadr.run import Run, Runs
from vtn_sim.openadr.script import Script
from vtn_sim.openadr.views import (
    FaultView,
    IrregularityView,
    JudgementView,
    OptView,
    ProcedureView,
    ReportRequestView,
    RunView,
    UtilityView,
)
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.spec import XmlText
from vtn_sim.views import VerdictView

PREFIX = "/api/openadr"


class NewRun(Script):
    """A script to play, or a procedure of the library."""

    procedure: str | None = None
    """Its id; steps and expectations are then its own."""
    name: Annotated[XmlText, Field(max_length=100)] = "script"
    ven_id: XmlText = EVERY
    """The VEN it is played with; `*`: the first that is registered."""


def openadr_router(vtn: Vtn, runs: Runs) -> APIRouter:
    """All of it below `/api/openadr`."""
    router = APIRouter()
    router.include_router(_control(vtn))
    router.include_router(_records(vtn))
    router.include_router(_verdicts(vtn))
    router.include_router(_playing(vtn, runs))
    router.include_router(_runs(runs))
    return router


def _control(vtn: Vtn) -> APIRouter:
    router, director = APIRouter(prefix=PREFIX), Director(vtn)

    @router.get("")
    async def utility() -> UtilityView:
        """The utility itself, with the faults that are on."""
        now, signer = vtn.clock.now(), vtn.signatures.signer
        return UtilityView(
            vtn_id=vtn.settings.vtn_id,
            now=now,
            poll_frequency_s=vtn.poll_frequency_s,
            signatures=vtn.signatures.mode,
            fingerprint=None if signer is None else signer.fingerprint,
            habits=vtn.habits,
            faults=[FaultView.of(fault) for fault in vtn.faults.all(now)],
        )

    @router.post("/actions")
    async def act(action: Annotated[Action, Body()]) -> dict[str, Any]:
        """Do something: `{"action": "cancel", "event_id": "e1"}` for example."""
        return director.perform(action)

    return router


def _records(vtn: Vtn) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("/opts")
    async def opts(ven_id: str | None = None) -> list[OptView]:
        """Every opt, or those of one VEN."""
        return [OptView.of(opt) for opt in vtn.opts.of(ven_id)]

    @router.get("/irregularities")
    async def irregularities() -> list[IrregularityView]:
        """What no VEN should have sent, in order of time."""
        return [IrregularityView.model_validate(one) for one in vtn.ledger.all_irregularities]

    @router.get("/report-requests")
    async def requests(ven_id: str | None = None) -> list[ReportRequestView]:
        """Every report request, running or not, or those of one VEN."""
        found = vtn.reports.asked(ven_id, ended=True)
        return [ReportRequestView.of(asked) for asked in found]

    return router


def _verdicts(vtn: Vtn) -> APIRouter:
    router, court = APIRouter(prefix=PREFIX), Court(vtn)

    def judgement(ven_id: str) -> JudgementView:
        verdicts = court.verdicts(vtn.registry.ven(ven_id).ven_id)
        outcome = outcome_of(verdicts)
        head = f"VEN {ven_id}: {outcome.upper()}"
        return JudgementView(
            ven_id=ven_id,
            outcome=outcome,
            verdicts=[VerdictView.model_validate(verdict) for verdict in verdicts],
            text="\n".join([head, *(verdict.text for verdict in verdicts)]),
        )

    @router.get("/vens/{ven_id}/verdict")
    async def verdict(ven_id: str) -> JudgementView:
        """What the judge says about every event, report and opt of a VEN, and its manners."""
        return judgement(ven_id)

    @router.get("/vens/{ven_id}/verdict.txt")
    async def text(ven_id: str) -> PlainTextResponse:
        """The same for people."""
        return PlainTextResponse(judgement(ven_id).text + "\n")

    return router


def _playing(vtn: Vtn, runs: Runs) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("/procedures")
    async def library() -> list[ProcedureView]:
        """Every procedure of the library."""
        return [ProcedureView.of(one) for one in procedures().values()]

    @router.post("/runs", status_code=202)
    async def play(new: NewRun) -> RunView:
        """Play a script or a procedure once the runs before it are over."""
        ven_id = new.ven_id if new.ven_id == EVERY else vtn.registry.ven(new.ven_id).ven_id
        if new.procedure is None:
            return RunView.of(runs.add(new.name, new, ven_id))
        return RunView.of(runs.add_procedure(procedure(new.procedure), ven_id))

    return router


def _runs(runs: Runs) -> APIRouter:
    router = APIRouter(prefix=f"{PREFIX}/runs")

    def found(number: int) -> Run:
        run = runs.get(number)
        if run is None:
            raise HTTPException(404, f"no run {number}")
        return run

    @router.get("")
    async def every() -> list[RunView]:
        """Every run with the verdict on it."""
        return [RunView.of(run) for run in runs.all()]

    @router.get("/{number}")
    async def one(number: int) -> RunView:
        """One run; its outcome is pending until it is over."""
        return RunView.of(found(number))

    @router.get("/{number}/verdict.txt")
    async def text(number: int) -> PlainTextResponse:
        """The verdict for people."""
        return PlainTextResponse(found(number).text + "\n")

    return router
