"""`/api/v1/sites/{site_id}/fairness`: how baseline methods do at a site on days without event."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from gateway.domain.measure.baseline_words import describe
from gateway.domain.measure.placebo import Fairness, PlaceboDay
from gateway.domain.measure.presets import comparable, preset
from gateway.domain.program import BaselineMethod
from gateway.domain.program.measuring import ExportRule
from gateway.flows.report.fairness import Pretended, site_fairness
from gateway.web.api.schemas import Schema, example
from gateway.web.lookup import find_site
from gateway.web.state import WebState

MOST_METHODS = 30


class FairDayOut(Schema):
    """One day on which an event was pretended."""

    model_config = example(day="2026-11-19", judged=True, reason="", bias_w=1_200.0)

    day: date
    judged: bool
    reason: Annotated[str, Field(description="Why it could not be judged.")]
    bias_w: Annotated[
        float | None, Field(description="Mean of baseline less load: paid for nothing.")
    ]


class FairOut(Schema):
    """A method at this site; shares are of the mean load, null while nothing could be judged."""

    model_config = example(
        method="10-in-10-type",
        rule="10-in-10-type: mean of the last 10 eligible days",
        days_judged=21,
        intervals=336,
        bias_pct=-0.8,
        cvrmse_pct=15.1,
        mape_pct=13.1,
        over_pct=44.0,
        under_pct=56.0,
        days=[{"day": "2026-11-19", "judged": True, "reason": "", "bias_w": 1_200.0}],
    )

    method: str
    rule: str
    days_judged: int
    intervals: int
    bias_pct: Annotated[
        float | None, Field(description="Positive: deliveries would be overstated.")
    ]
    cvrmse_pct: float | None
    mape_pct: float | None
    over_pct: Annotated[float | None, Field(description="Intervals with the baseline above load.")]
    under_pct: float | None
    days: list[FairDayOut]


def add_routes(router: APIRouter, state: WebState) -> None:
    """What may be asked about fairness."""

    @router.get("/sites/{site_id}/fairness", tags=["sites"])
    async def site_fair(
        site_id: str,
        start: Annotated[time, Query(description="Local time at which events are pretended.")],
        duration_s: Annotated[float, Query(gt=0, le=86_400)],
        days: Annotated[int, Query(ge=1, le=90)] = 30,
        method: Annotated[list[str], Query(max_length=MOST_METHODS)] = [],  # noqa: B006 (FastAPI copies it)
        program: Annotated[str, Query(description="A program's own method besides.")] = "",
        every_day: bool = False,
    ) -> list[FairOut]:
        """Is a method fair here? Events are pretended on the last days that had none.

        Without `method` and `program`: every preset that needs nothing but the site's own load.
        `every_day`: on weekends and holidays, too.
        """
        found = find_site(state, site_id)
        methods, export = _methods(state, method, program)
        pretended = Pretended(
            start=start,
            duration=timedelta(seconds=duration_s),
            days=days,
            working_days=not every_day,
            export=export,
        )
        told = await site_fairness(
            state.portfolio, state.ledger, state.telemetry, found, methods, pretended, state.now()
        )
        return [_out(one, rule) for one, rule in zip(told, methods, strict=False)]


def _methods(
    state: WebState, names: list[str], program: str
) -> tuple[list[BaselineMethod], ExportRule]:
    try:
        methods = [preset(name).method for name in names]
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    if program:
        version = state.portfolio.program(program, state.now())
        if version is None:
            raise HTTPException(404, f"There is no program {program!r}")
        return [version.method, *methods], version.export
    return methods or list(comparable()), ExportRule.COUNTED


def _out(one: Fairness, method: BaselineMethod) -> FairOut:
    return FairOut(
        method=one.method,
        rule=describe(method),
        days_judged=one.judged,
        intervals=one.intervals,
        bias_pct=_pct(one.bias),
        cvrmse_pct=_pct(one.cvrmse),
        mape_pct=_pct(one.mape),
        over_pct=_pct(one.over_share),
        under_pct=_pct(one.under_share),
        days=[_day(day) for day in one.days],
    )


def _day(one: PlaceboDay) -> FairDayOut:
    return FairDayOut(day=one.day, judged=one.judged, reason=one.reason, bias_w=one.bias_w)


def _pct(share: float | None) -> float | None:
    return None if share is None else 100.0 * share
