from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.openadr.payloads import OptType
from contracts.testing import FakeClock
from contracts.time import Interval
from vtn_sim.judge import Outcome, Rules, Verdict, coverage, judge, mean_value
from vtn_sim.openadr.event_payload import VtnEvent
from vtn_sim.openadr.events import Answer, Delivery
from vtn_sim.openadr.telemetry import Sample
from vtn_sim.spec import EventSpec

T0 = FakeClock().now()
RULES = Rules(min_coverage=0.95, settle=timedelta(seconds=30))
MINUTE = timedelta(minutes=1)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def samples(*spans: tuple[float, float], value: float = 100.0) -> list[Sample]:
    """Samples from `(start, end)` in seconds."""
    return [
        Sample(
            ven_id="v",
            r_id="power",
            report_request_id="rr",
            start=at(start),
            duration=timedelta(seconds=end - start),
            value=value,
            data_quality=None,
            received_at=at(end),
        )
        for start, end in spans
    ]


FULL = samples((0, 60), (60, 120))
HALF = samples((0, 60))


def delivery(
    *opts: OptType, modification: int = 0, polls: int = 0, code: int = 200, sent: float = -60
) -> Delivery:
    answers = tuple(Answer(opt=o, code=code, description="", at=at(sent + 0.5)) for o in opts)
    return Delivery(
        ven_id="v",
        event_id="e",
        modification=modification,
        first_sent_at=at(sent),
        last_sent_at=at(sent),
        polls_before_answer=polls,
        answers=answers,
    )


IN, OUT = OptType.IN, OptType.OUT


@pytest.fixture
def event(spec: Callable[..., EventSpec]) -> Callable[..., VtnEvent]:
    """Two minutes from T0."""

    def make(spec_changes: dict[str, Any] | None = None, **content: Any) -> VtnEvent:
        asked = spec(**(spec_changes or {}))
        return VtnEvent(event_id="e", created_at=at(-60), start=T0, spec=asked, **content)

    return make


@pytest.mark.parametrize(
    ("deliveries", "telemetry", "now", "outcome", "says"),
    [
        pytest.param([], {}, -60, "pending", "not yet sent", id="not sent"),
        pytest.param([delivery()], {}, -59, "pending", "no answer 1.0 s", id="no answer yet"),
        pytest.param([delivery(polls=1)], {}, -50, "fail", "no answer 10.0 s", id="no answer"),
        pytest.param(
            [delivery(IN)], {"power": []}, -30, "pending", "optIn after 0.5 s, before", id="opt in"
        ),
        pytest.param(
            [delivery(IN, polls=2)], {"power": FULL}, 200, "fail", "only after 2 more", id="late"
        ),
        pytest.param([delivery(OUT)], {"power": []}, 200, "pass", "optOut", id="opted out"),
        pytest.param(
            [delivery(IN, OUT)], {"power": []}, 200, "pass", "optOut", id="changed its mind"
        ),
        pytest.param(
            [delivery(IN, code=460)], {"power": FULL}, 200, "pass", "code 460", id="with a code"
        ),
        pytest.param([delivery(IN)], {"power": HALF}, 90, "pending", "50%", id="running"),
        pytest.param([delivery(IN)], {"power": FULL}, 121, "pass", "100%", id="complete"),
        pytest.param([delivery(IN)], {"power": HALF}, 149, "pending", "50%", id="may still come"),
        pytest.param([delivery(IN)], {"power": HALF}, 150, "fail", "50%", id="incomplete"),
        pytest.param([delivery(IN)], {"power": []}, 150, "fail", "0%", id="nothing came"),
        pytest.param([delivery(IN)], {}, 150, "fail", "no telemetry", id="nothing offered"),
        pytest.param([delivery(IN)], {}, 130, "pending", "no telemetry", id="not offered yet"),
        pytest.param(
            [delivery(IN)],
            {"power": FULL, "site": HALF},
            150,
            "fail",
            "reported site",
            id="one point incomplete",
        ),
        pytest.param(
            [delivery(IN)], {"power": FULL}, 121, "pass", "mean 100, asked -100", id="mean"
        ),
    ],
)
def test_verdict(
    event: Callable[..., VtnEvent],
    deliveries: list[Delivery],
    telemetry: dict[str, list[Sample]],
    now: float,
    outcome: str,
    says: str,
) -> None:
    verdict = judge(event(), "v", deliveries, telemetry, RULES, at(now))
    assert verdict.outcome == outcome, verdict.text
    assert says in verdict.text


def test_a_verdict_reads_well(event: Callable[..., VtnEvent]) -> None:
    verdict = judge(event(), "v", [delivery(IN)], {"power": FULL}, RULES, at(150))
    assert verdict.text.splitlines() == [
        "e at v: PASS",
        "PASS    asked: LOAD_DISPATCH delta -120 for 60 s, -80 for 60 s, modification 0, sent",
        "PASS    acknowledged: optIn after 0.5 s, before its next poll",
        "PASS    reported power: 100% of the event known (at least 95% wanted), mean 100, "
        "asked -100",
    ]


def test_an_unwanted_answer_is_a_fault(event: Callable[..., VtnEvent]) -> None:
    quiet = event({"response_required": False})
    good = judge(quiet, "v", [delivery(polls=9)], {"power": FULL}, RULES, at(150))
    assert good.outcome is Outcome.PASS
    bad = judge(quiet, "v", [delivery(IN)], {"power": FULL}, RULES, at(150))
    assert bad.outcome is Outcome.FAIL


def test_a_cancelled_event_is_judged_up_to_its_end(event: Callable[..., VtnEvent]) -> None:
    both = [delivery(IN), delivery(IN, modification=1, sent=60)]
    stopped = event(modification=1, cancelled_at=at(60))
    assert judge(stopped, "v", both, {"power": HALF}, RULES, at(90)).outcome is Outcome.PASS
    out = [delivery(OUT), delivery(IN, modification=1, sent=60)]
    assert judge(stopped, "v", out, {"power": []}, RULES, at(200)).outcome is Outcome.PASS
    never = event(modification=1, cancelled_at=at(-1))
    assert judge(never, "v", both, {"power": []}, RULES, at(200)).outcome is Outcome.PASS
    unsent = judge(stopped, "v", both[:1], {"power": HALF}, RULES, at(90))
    assert unsent.outcome is Outcome.PENDING


def test_an_open_ended_event_stays_open(event: Callable[..., VtnEvent]) -> None:
    signals = [{"intervals": [{"duration_s": 0, "value": -1.0}]}]
    endless = event({"duration_s": 0, "signals": signals})
    for now in (-1, 0, 119, 10_000):
        verdict: Verdict = judge(endless, "v", [delivery(IN)], {"power": FULL}, RULES, at(now))
        assert verdict.outcome is Outcome.PENDING


@given(st.lists(st.tuples(st.integers(-50, 150), st.integers(0, 60))))
def test_coverage_counts_every_second_once(spans: list[tuple[int, int]]) -> None:
    window = Interval(start=at(0), end=at(100))
    found = samples(*((start, start + length) for start, length in sorted(spans)))
    seconds = {s for start, length in spans for s in range(start, start + length)} & set(range(100))
    assert coverage(found, window) == pytest.approx(len(seconds) / 100)


def test_a_mean_is_weighted_by_time_and_clipped() -> None:
    window = Interval(start=at(0), end=at(100))
    found = samples((-10, 50), value=10.0) + samples((50, 75), value=40.0)
    assert mean_value(found, window) == pytest.approx(20.0)
    assert mean_value([], window) is None
