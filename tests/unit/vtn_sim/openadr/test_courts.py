"""The judge's decision tables: answers to events, intervals of reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.openadr.payloads import OptType, Report, ReportInterval, ReportPayload
from contracts.testing import FakeClock
from vtn_sim.judge import Outcome
from vtn_sim.openadr.court import event_check
from vtn_sim.openadr.events import Answer, Delivery
from vtn_sim.openadr.ledger import Receipt
from vtn_sim.openadr.report_court import report_checks
from vtn_sim.openadr.report_spec import ReportAsk, request_of
from vtn_sim.openadr.reports import Acceptance, Arrival, Asked
from vtn_sim.openadr.telemetry import samples_of

T0 = FakeClock().now()
WITHIN, SETTLE = timedelta(seconds=10), timedelta(seconds=10)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def answer(request_id: str = "r1", after: float = 1, *, lost: bool = False) -> Answer:
    receipt = Receipt(at=at(after), acknowledged=not lost)
    return Answer(
        opt=OptType.IN,
        code=200,
        description="",
        at=at(after),
        request_id=request_id,
        receipt=receipt,
    )


def delivery(*answers: Answer, requests: tuple[str, ...] = ("r1",), **more: Any) -> Delivery:
    return Delivery(
        ven_id="v",
        event_id="e",
        modification=0,
        first_sent_at=T0,
        last_sent_at=T0,
        requests=requests,
        answers=answers,
        **more,
    )


@pytest.mark.parametrize(
    ("sent", "required", "now", "outcome", "says"),
    [
        pytest.param(delivery(answer()), True, 5, "pass", "optIn 200", id="answered"),
        pytest.param(delivery(), True, 5, "pending", "no answer", id="not yet"),
        pytest.param(delivery(), True, 11, "fail", "no answer", id="not in time"),
        pytest.param(
            delivery(polls_before_answer=1), True, 2, "fail", "no answer", id="polled first"
        ),
        pytest.param(delivery(answer(), answer()), True, 5, "fail", "answered twice", id="twice"),
        pytest.param(
            delivery(answer(lost=True), answer()), True, 5, "pass", "optIn", id="again, once lost"
        ),
        pytest.param(
            delivery(answer("r1"), answer("r2"), requests=("r1", "r2")),
            True,
            5,
            "pass",
            "optIn",
            id="one for each sending",
        ),
        pytest.param(
            delivery(answer("r1"), answer("r1"), requests=("r1", "r1")),
            True,
            5,
            "pass",
            "optIn",
            id="a duplicate was sent",
        ),
        pytest.param(delivery(answer("x")), True, 5, "fail", "not sent with", id="wrong id"),
        pytest.param(delivery(answer(after=11)), True, 12, "fail", "only after 11.0 s", id="late"),
        pytest.param(
            delivery(answer(after=11), lost_answers=1),
            True,
            12,
            "pass",
            "optIn",
            id="not its fault",
        ),
        pytest.param(delivery(), False, 99, "pass", "none wanted", id="none wanted"),
        pytest.param(delivery(answer()), False, 5, "fail", "although", id="unwanted"),
    ],
)
def test_answers(sent: Delivery, required: bool, now: float, outcome: str, says: str) -> None:
    check = event_check(sent, at(now), WITHIN, required=required)
    assert (check.outcome, says in check.text) == (outcome, True), check.text


def report(*spans: tuple[float, float], r_id: str = "power", specifier: str = "s") -> Report:
    return Report(
        report_request_id="rr",
        report_specifier_id=specifier,
        created_at=T0,
        intervals=tuple(
            ReportInterval(
                start=at(start),
                duration=timedelta(seconds=end - start),
                payloads=(ReportPayload(r_id=r_id, value=1.0),),
            )
            for start, end in spans
        ),
    )


def asked(
    *reports: Report | tuple[Report, bool],
    granularity: int = 10,
    back: int = 10,
    duration: int = 30,
    code: int = 200,
    **ask: Any,
) -> Asked:
    """A request for 30 s from T0 on, with its reports, each just in time."""
    spec = ReportAsk.model_validate(
        {
            "granularity_s": granularity,
            "report_back_s": back,
            "window": {"duration_s": duration},
            "specifier_id": "s",
            "r_ids": ["power"],
            "not_offered": True,
            **ask,
        }
    )
    found = Asked(
        ven_id="v",
        ask=spec.model_copy(update={"not_offered": False}),
        request=request_of(spec, (), "rr", T0),
        asked_at=T0,
        acceptances=[Acceptance(at=at(1), code=code, pending=code == 200)],
    )
    for one in reports:
        content, known = one if isinstance(one, tuple) else (one, True)
        samples = samples_of(
            content, ven_id="v", granularity=timedelta(seconds=granularity), now=T0
        )
        end = max((s.end for s in samples), default=T0)
        receipt = Receipt(at=end, acknowledged=known)
        found.arrivals.append(
            Arrival(receipt=receipt, request_id="u", report=content, samples=tuple(samples))
        )
    return found


A, B, C = report((0, 10)), report((10, 20)), report((20, 30))


@pytest.mark.parametrize(
    ("request_", "now", "outcome", "says"),
    [
        pytest.param(asked(A, B, C), 31, "pass", "no gap", id="complete"),
        pytest.param(asked(report((0, 10), (10, 20), (20, 30))), 31, "pass", "", id="a batch"),
        pytest.param(asked(A, B), 31, "pending", "not due yet", id="may still come"),
        pytest.param(asked(A, B), 61, "fail", "nothing since", id="the last is missing"),
        pytest.param(asked(A, C), 31, "fail", "nothing from", id="a gap"),
        pytest.param(asked(B, C), 31, "pass", "", id="begins with the next granularity"),
        pytest.param(asked(C), 31, "fail", "begins only at", id="begins late"),
        pytest.param(asked(A, B, B, C), 31, "fail", "1 values twice", id="doubled"),
        pytest.param(asked(A, (B, False), B, C), 31, "pass", "", id="again, once lost"),
        pytest.param(asked(A, report((5, 15)), C), 31, "fail", "overlap", id="overlap"),
        pytest.param(
            asked(report((0, 8), (8, 18), (18, 28), (28, 30))), 31, "pass", "", id="cut off"
        ),
        pytest.param(
            asked(report((0, 10), (10, 15), (15, 25))), 31, "fail", "is not 10 s long", id="short"
        ),
        pytest.param(asked(report((0, 30))), 31, "fail", "is not 10 s long", id="too long"),
        pytest.param(
            asked(A, B, C, report((30, 40))), 50, "fail", "after its window", id="goes on"
        ),
        pytest.param(asked(report((0, 10), r_id="x")), 31, "fail", "not asked for", id="a point"),
        pytest.param(asked(report((0, 10), specifier="x")), 31, "fail", "Specifier", id="its id"),
        pytest.param(asked(code=461), 31, "fail", "code 461", id="refused"),
        pytest.param(asked(A, back=0, duration=10), 31, "pass", "one report", id="once"),
        pytest.param(asked(A, A, back=0), 31, "fail", "instead of one", id="once, twice"),
        pytest.param(asked(back=0), 70, "fail", "no report yet", id="once, never"),
        pytest.param(asked(A, granularity=0), 31, "pass", "", id="on change"),
    ],
)
def test_reports(request_: Asked, now: float, outcome: str, says: str) -> None:
    checks = list(report_checks(request_, at(now), SETTLE, WITHIN))
    outcomes = {check.outcome for check in checks}
    worst = next((o for o in (Outcome.FAIL, Outcome.PENDING) if o in outcomes), Outcome.PASS)
    text = "\n".join(f"{check.outcome} {check.name}: {check.text}" for check in checks)
    assert worst == outcome, text
    assert says in text


def cancelled(*reports: Report, to_follow: bool = False, canceled: float | None = 21) -> Asked:
    found = asked(A, B, *reports, duration=0)
    found.cancel_sent_at, found.to_follow = at(20), to_follow
    found.canceled_at = None if canceled is None else at(canceled)
    return found


@pytest.mark.parametrize(
    ("request_", "now", "outcome", "says"),
    [
        (cancelled(), 60, "pass", "ended at"),
        (cancelled(canceled=None), 25, "pending", "no oadrCanceledReport"),
        (cancelled(canceled=None), 60, "fail", "no oadrCanceledReport"),
        (cancelled(C), 60, "fail", "1 reports after its end"),
        (cancelled(C, to_follow=True), 60, "pass", "ended at"),
    ],
)
def test_cancelled_reports(request_: Asked, now: float, outcome: str, says: str) -> None:
    checks: Sequence[Any] = list(report_checks(request_, at(now), SETTLE, WITHIN))
    stopped = next(check for check in checks if check.name == "stopped")
    assert (stopped.outcome, says in stopped.text) == (outcome, True), stopped.text


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_a_report_is_in_order_only_if_each_interval_came_once(times: list[int]) -> None:
    """Whatever is left out or sent twice is found, wherever it is."""
    spans = [report((10 * n, 10 * n + 10)) for n, count in enumerate(times) for _ in range(count)]
    request = asked(*spans, duration=10 * len(times))
    checks = report_checks(request, at(10 * len(times) + 100), SETTLE, WITHIN)
    good = all(check.outcome is Outcome.PASS for check in checks)
    late_start = len(times) > 1 and times[0] == 0  # it may begin with the second
    assert good is (all(n == 1 for n in times[late_start:]))
