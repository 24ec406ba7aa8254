"""Which anomalies a report tells: those of what the event is settled on."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.event import GridEvent
from gateway.flows.report.build import participation_report
from gateway.flows.report.settlement import Settlement

World = Any
Event = Callable[..., GridEvent]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def stuck(since: Any, minutes: float) -> Finding:
    return Finding(
        code=Code.STUCK,
        subject="pcc_power_w",
        evidence=Interval.lasting(since, minutes * MINUTE),
        reason="exactly 80.0 kW all the time",
        what_to_do="look at the meter",
    )


@pytest.mark.row("mv:M9")
@pytest.mark.row("mv:M6")
async def test_anomalies_of_event_adjustment_and_baseline_days_are_told(
    world: World, event: Event
) -> None:
    await world.ready()
    asked = event()
    start = asked.window.start
    await world.intake.receive([asked])
    await world.pass_time(82)
    found = [
        ("depot-1", stuck(start + 5 * MINUTE, 10)),
        ("depot-2", stuck(start - 20 * MINUTE, 5)),
        ("depot-3", stuck(start - 3 * DAY + 10 * MINUTE, 5)),
        ("depot-3", stuck(start - 3 * DAY + 300 * MINUTE, 5)),  # other hours of that day
        ("elsewhere", stuck(start, 10)),
    ]
    asked_for: list[Interval] = []

    async def findings(site_id: str | None, window: Interval) -> Sequence[tuple[str, Finding]]:
        assert site_id is None
        asked_for.append(window)
        return found

    watching = Settlement(
        world.portfolio,
        world.ledger,
        world.telemetry,
        world.settlement._baselines,
        lambda report: {},
        world.clock,
        findings=findings,
    )
    stored = await world.ledger.event(asked.key)
    evidence = await watching.evidence(stored, world.portfolio.programs[0])
    report = participation_report(evidence, created_at=world.clock.now(), final=True)
    day = (start - 3 * DAY).date()
    assert [(one.site_id, one.touches) for one in report.anomalies] == [
        ("depot-1", ("the event",)),
        ("depot-2", ("the adjustment window",)),
        ("depot-3", (f"baseline day {day}",)),
    ]
    assert report.anomalies[0].reason == "exactly 80.0 kW all the time"
    [window] = asked_for
    assert window.start < start - 10 * DAY
    assert window.end == evidence.span.end
