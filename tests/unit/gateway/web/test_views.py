"""States in words and shapes; sums, gaps and layers behind the live page."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Notice, Severity
from contracts.time import Interval
from gateway.domain.event import GridEvent
from gateway.domain.measure.report import Curves
from gateway.flows.sites.live import LiveSite
from gateway.web.chart_data import MAX_POINTS, chart_data, chart_span
from gateway.web.live_curves import added_up, layered
from gateway.web.portfolio_view import portfolio_view, site_mark
from gateway.web.site_view import in_words
from gateway.web.snapshot import MAX_AGE, compared, raised, reading, take
from gateway.web.tiles import tiles
from gateway.web.wording import asked, progress, status_mark, until
from support.gateway_web import NOW, World, grid_event

HOUR = Interval.lasting(NOW, timedelta(hours=1))


def event(start_s: float, end_s: float | None, **changes: object) -> GridEvent:
    window = Interval(
        start=NOW + timedelta(seconds=start_s),
        end=None if end_s is None else NOW + timedelta(seconds=end_s),
    )
    plain = grid_event(Interval.lasting(window.start, timedelta(hours=1)))
    return replace(plain, window=window, **changes)  # type: ignore[arg-type]  # a test's own


@pytest.mark.parametrize(
    ("what", "word", "countdown", "share"),
    [
        (event(45, 165), "Scheduled", "starts in 45 s", None),
        (event(45, 165, ramp_up=timedelta(minutes=1)), "Ramping in", "starts in 45 s", None),
        (event(-30, 90), "In progress", "ends in 1 min 30 s", 0.25),
        (event(-30, None), "In progress", "started 30 s ago, until further notice", None),
        (event(-90, -30), "Completed", "ended 30 s ago", None),
        (event(45, 90, cancelled=True), "Cancelled", "cancelled by the utility", None),
    ],
)
def test_events_in_words(what: GridEvent, word: str, countdown: str, share: float | None) -> None:
    assert status_mark(what, NOW).word == word
    assert until(what, NOW) == countdown
    assert progress(what, NOW) == share


def test_an_event_of_a_program_that_is_not_ours_is_told_as_such() -> None:
    assert asked(event(0, 1), None) == "signals delta_w, of a program that is not ours"


def live_site(world: World, **changes: object) -> LiveSite:
    site = world.live.snapshot().sites[0]
    return replace(site, **changes)  # type: ignore[arg-type]  # a test's own


async def test_a_site_has_one_state_the_most_important_first(still: World) -> None:
    seen = await take(still.state)
    reducing, _, opted_out = seen.live.sites
    old = Reading(value=1.0, quality=Quality.GOOD, at=NOW - 2 * MAX_AGE)
    stale = live_site(still, readings={points.PCC_POWER_W: old})
    quiet = replace(seen, events=())
    found = [
        site_mark(live_site(still, online=False), seen).word,
        site_mark(stale, seen).word,
        site_mark(opted_out, seen).word,
        site_mark(reducing, seen).word,
        site_mark(reducing, quiet).word,
    ]
    assert found == ["Offline", "Data stale", "Opted out", "Reducing", "Normal"]


async def test_a_stale_value_is_shown_with_its_age_and_not_used(still: World) -> None:
    seen = await take(still.state)
    late = replace(seen.live, at=NOW + timedelta(minutes=5))
    view = portfolio_view(replace(seen, live=late), still.state.portfolio, (), still.state.zone)
    assert view.sites[0].load.stale
    assert view.sites[0].age == "5 min"


async def test_a_reduction_is_not_claimed_while_a_site_is_missing(still: World) -> None:
    seen = await take(still.state)
    silent = replace(seen.live.sites[1], readings={})
    live = replace(seen.live, sites=(seen.live.sites[0], silent, seen.live.sites[2]))
    figures = {tile.key: tile for tile in tiles(replace(seen, live=live))}
    assert figures["reduction"].value == "n/a"
    assert figures["reduction"].note == "waiting for every site"
    short = replace(live.sums[points.PCC_POWER_W], sites=2)
    partial = replace(live, sums={**live.sums, points.PCC_POWER_W: short})
    load = {tile.key: tile for tile in tiles(replace(seen, live=partial))}["load"]
    assert load.note.startswith("2 of 3 sites")


async def test_load_is_compared_over_the_sites_the_event_addresses(still: World) -> None:
    seen = await take(still.state)
    assert seen.compared == {"north-yard", "harbor", "east"}
    stored = seen.events[0]
    one = replace(stored, event=replace(stored.event, targets=("harbor",)))
    some = compared(still.state.portfolio, [one], NOW)
    assert some == {"harbor"}
    assert compared(still.state.portfolio, [], NOW) == seen.compared
    view = portfolio_view(replace(seen, compared=some), still.state.portfolio, (), still.state.zone)
    assert view.chart_title == "Load of 1 of 3 sites, those addressed"
    assert replace(seen, compared=some).load_w == pytest.approx(51_000, rel=0.05)


def notice(minute: int, raised_: bool, code: str = "meter-stale") -> tuple[str, Notice]:
    return "harbor", Notice(
        at=NOW + timedelta(minutes=minute),
        code=code,
        subject="meter",
        severity=Severity.ALARM,
        raised=raised_,
        text="",
    )


def test_only_what_was_not_cleared_is_wrong() -> None:
    words = [notice(0, True), notice(1, False), notice(2, True, "x"), notice(3, True)]
    assert [(n.code, n.at.minute) for _, n in raised(words)] == [("meter-stale", 15), ("x", 14)]
    assert raised([notice(0, True), notice(1, False)]) == ()


def test_a_reading_that_was_never_made_is_missing(bare: World) -> None:
    assert reading(live_site(bare), points.PCC_POWER_W, NOW).value is None


@pytest.mark.parametrize(
    ("point", "value", "text"),
    [
        ("pcc_power_w", 12_000.0, "import 12.0 kW"),
        ("pcc_power_w", -12_000.0, "export 12.0 kW"),
        ("battery_power_w", 40_000.0, "charging 40.0 kW"),
        ("battery_power_w", -40_000.0, "discharging 40.0 kW"),
        ("battery_power_w", 0.0, "0.0 kW"),
        ("pv_power_w", -5_300.0, "generating 5.3 kW"),
        ("pcc_import_wh", 1_500_000.0, "1\u202f500 kWh"),
        ("battery_soc_pct", 63.4, "63 %"),
        ("chargers_online", 11.0, "11"),
        ("something_else", None, "n/a"),
    ],
)
def test_points_in_words(point: str, value: float | None, text: str) -> None:
    assert in_words(point, Reading(value=value, quality=Quality.GOOD, at=NOW)) == text


# --- curves ------------------------------------------------------------------------------------


def flat(value: float, *spans: tuple[int, int]) -> StepSeries:
    return StepSeries.of(
        (
            Interval(start=NOW + timedelta(minutes=a), end=NOW + timedelta(minutes=b)),
            value,
        )
        for a, b in spans
    )


def test_the_portfolio_has_a_gap_where_any_site_has_one() -> None:
    whole = added_up([flat(1000.0, (0, 60)), flat(500.0, (0, 20), (40, 60))], HOUR)
    assert whole.value_at(NOW + timedelta(minutes=10)) == pytest.approx(1500.0)
    assert whole.value_at(NOW + timedelta(minutes=30)) is None
    assert whole.integral_h(HOUR) == pytest.approx(1000.0)


def test_overlapping_events_are_layered() -> None:
    first, second = flat(80.0, (0, 40)), flat(60.0, (20, 60))
    low = layered([first, second], HOUR, min)
    at = [low.value_at(NOW + timedelta(minutes=m)) for m in (10, 30, 50)]
    assert at == [80.0, 60.0, 60.0]
    assert layered([], HOUR, min) == StepSeries()


def test_a_chart_never_has_too_many_points_and_marks_gaps() -> None:
    seconds = enumerate(HOUR.split(timedelta(seconds=1)))
    busy = StepSeries.of((piece, 1.0) for n, piece in seconds if not 600 <= n < 900)
    curves = Curves(span=HOUR, baseline=busy, actual=busy, target=StepSeries())
    data = chart_data(curves, (), NOW, "UTC", "r")
    actual = data["actual"]
    assert isinstance(actual, list)
    assert len(actual) <= MAX_POINTS
    assert [point[1] for point in actual].count(None) == 1
    assert data["target"] == []


def test_the_chart_looks_a_little_ahead() -> None:
    span = chart_span(NOW, "1h")
    assert span.end is not None
    assert (NOW - span.start, span.end - NOW) == (timedelta(hours=1), timedelta(minutes=15))
    assert chart_span(NOW, "nonsense") == chart_span(NOW, "15m")
