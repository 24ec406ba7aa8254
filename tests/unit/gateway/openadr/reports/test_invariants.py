"""Through the whole reporting half: any request, any jumps of time, a VTN that comes and goes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.openadr import START
from support.openadr_reports import Reporter, request

steps = st.lists(
    st.tuples(st.sampled_from(["wait", "down", "up", "restart"]), st.floats(0.5, 400)),
    min_size=1,
    max_size=12,
)


@pytest.mark.row("openadr:P3")
@pytest.mark.row("openadr:P8")
@settings(max_examples=40, deadline=None)
@given(
    granularity_s=st.integers(2, 120),
    back_s=st.integers(1, 300),
    start_s=st.integers(-600, 300),
    duration_s=st.one_of(st.just(0), st.integers(1, 1500)),
    steps=steps,
)
async def test_every_due_interval_exactly_once(
    granularity_s: int,
    back_s: int,
    start_s: int,
    duration_s: int,
    steps: list[tuple[str, float]],
) -> None:
    reporter = Reporter()
    asked = [
        request(
            key,
            granularity=timedelta(seconds=granularity_s * factor),
            back=timedelta(seconds=back_s),
            start=START + timedelta(seconds=start_s),
            duration=timedelta(seconds=duration_s),
        )
        for key, factor in (("a", 1), ("b", 3))
    ]
    await reporter.ask(*asked)
    for what, lasting_s in steps:
        if what == "restart":
            reporter = await reporter.restarted(reporter.clock.now() + timedelta(seconds=lasting_s))
        reporter.vtn.up = reporter.vtn.up if what in ("wait", "restart") else what == "up"
        await reporter.after(lasting_s)
    reporter.vtn.up = True
    await reporter.after(3)
    now_s = (reporter.clock.now() - START).total_seconds()
    for key, factor in (("a", 1), ("b", 3)):
        spans = reporter.vtn.spans(key)
        expected = float(start_s)
        for start, duration in spans:
            assert start == expected
            expected += duration
        assert all(duration == granularity_s * factor for _, duration in spans[:-1])
        if duration_s and now_s - 3 >= start_s + duration_s:
            assert expected == start_s + duration_s
            assert key not in reporter.reporting.pending
        else:
            assert expected > now_s - 3 - back_s - granularity_s * factor or now_s < start_s
            assert key in reporter.reporting.pending
