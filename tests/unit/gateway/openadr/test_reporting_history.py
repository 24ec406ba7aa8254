"""History, several requests at once, refusals, quality and late data (rows P7, P8, P10)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.openadr.payloads import ItemBase, ReportRequest
from contracts.openadr.words import DataQuality
from contracts.reading import Quality
from contracts.time import Interval
from gateway.utility.openadr.memory import Unsent
from gateway.utility.openadr.reporting import MAX_TASKS
from gateway.utility.openadr.reports.making import ReportLimits
from gateway.utility.openadr.reports.records import ReportTask
from support.openadr import START, FlatReports
from support.openadr_reports import HISTORY, POWER, STATUS, TEN, ZERO, Reporter, request

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DEPOT = "site/depot-1/status"


# --- history -------------------------------------------------------------------------------------


@pytest.mark.row("openadr:P7")
async def test_a_whole_history() -> None:
    reporter = Reporter()
    await reporter.ask(
        request("h", f"history/{POWER}", specifier=HISTORY, granularity=ZERO, back=ZERO)
    )
    await reporter.after(10)
    starts = reporter.vtn.starts("h")
    assert len(starts) == 40 * 24 * 4
    assert starts == [starts[0] + 900.0 * n for n in range(len(starts))]
    assert starts[-1] == -1800.0, "the newest complete quarter of an hour, as far as it is settled"
    assert max(len(r.intervals) for r in reporter.vtn.reports) <= 500
    assert reporter.reporting.pending == ()


@pytest.mark.row("openadr:P7")
@pytest.mark.parametrize(
    ("start", "duration", "count"),
    [
        (START - 3 * HOUR, 2 * HOUR, 8),
        (START - 26 * HOUR, 25 * HOUR, 100),
        (START - HOUR, 5 * HOUR, 4),
        (START - HOUR, ZERO, 3),
    ],
    ids=["a part", "a hundred points", "what is not past yet is left out", "up to now"],
)
async def test_a_part_of_the_history(start: datetime, duration: timedelta, count: int) -> None:
    reporter = Reporter()
    wanted = request(
        "h",
        f"history/{POWER}",
        specifier=HISTORY,
        granularity=15 * MINUTE,
        back=ZERO,
        start=start,
        duration=duration,
    )
    await reporter.ask(wanted)
    await reporter.after(10)
    spans = reporter.vtn.spans("h")
    assert len(spans) == count
    assert spans[0][0] == (start - START).total_seconds()
    assert spans[-1][0] + spans[-1][1] <= -3.0


@pytest.mark.row("openadr:P7")
async def test_days_without_data_are_passed_over_quickly() -> None:
    reporter = Reporter()
    reporter.source.gaps.append(Interval(start=START - 41 * 24 * HOUR, end=START - HOUR))
    sites = [f"history/site/{site}/power_w" for site in reporter.source.sites]
    await reporter.ask(request("h", *sites, specifier=HISTORY, granularity=ZERO, back=ZERO))
    for _ in range(20):
        await reporter.reporting.send_due("ven")
    await reporter.settle()
    assert reporter.vtn.starts("h") == [-3600.0, -2700.0, -1800.0]
    assert reporter.reporting.pending == ()


# --- several at once, and what is refused ---------------------------------------------------------


@pytest.mark.row("openadr:P8")
async def test_requests_at_once_do_not_touch_each_other() -> None:
    reporter = Reporter()
    await reporter.ask(
        request("a", "site/depot-1/power_w"),
        request("b", POWER, "portfolio/energy_wh", granularity=2 * TEN, back=6 * TEN),
        request("c", DEPOT, specifier=STATUS, back=TEN),
        request("d", "site/depot-1/power_w", back=ZERO),
    )
    await reporter.after(63, step=1)
    assert reporter.vtn.starts("a") == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert reporter.vtn.starts("b") == [0.0, 20.0, 40.0]
    assert len(reporter.vtn.reports) == len({r.report_id for r in reporter.vtn.reports})
    found = {key: {p.r_id for p in reporter.vtn.payloads(key)} for key in "abcd"}
    assert found == {
        "a": {"site/depot-1/power_w"},
        "b": {POWER, "portfolio/energy_wh"},
        "c": {DEPOT},
        "d": {"site/depot-1/power_w"},
    }
    assert reporter.reporting.pending == ("a", "b", "c")


@pytest.mark.row("openadr:P8")
async def test_the_same_request_again_goes_on_another_one_begins_anew() -> None:
    reporter = Reporter()
    await reporter.ask(request())
    await reporter.after(25)
    await reporter.ask(request())
    await reporter.after(20)
    assert reporter.vtn.starts() == [0.0, 10.0, 20.0, 30.0]
    await reporter.ask(request(granularity=5 * TEN, back=5 * TEN))
    await reporter.after(60)
    assert reporter.vtn.spans()[4:] == [(0.0, 50.0), (50.0, 50.0)]


BAD: dict[str, ReportRequest] = {
    "unknown point": request("bad", "nobody"),
    "point of another report": request("bad", DEPOT),
    "unknown specifier": request("bad", specifier="other"),
    "too fine": request("bad", granularity=timedelta(seconds=1)),
    "too fine for a status": request(
        "bad", DEPOT, specifier=STATUS, granularity=timedelta(seconds=1)
    ),
    "too coarse": request("bad", granularity=timedelta(days=2)),
    "fraction of a second": request("bad", granularity=timedelta(seconds=2.5)),
    "negative granularity": request("bad", granularity=-TEN),
    "negative report back": request("bad", back=-TEN),
    "absurd report back": request("bad", back=timedelta(days=10_000)),
    "negative window": request("bad", start=START, duration=-TEN),
    "window out of reach": request("bad", start=START.replace(year=9999)),
    "other reading": request("bad", reading_type="Peak"),
    "other scale": request("bad", item=ItemBase.power_real("M")),
    "other unit": request("bad", item=ItemBase.energy_real("k")),
    "unit of a status": request("bad", DEPOT, specifier=STATUS, item=ItemBase.power_real("k")),
    "energy on change": request("bad", "portfolio/energy_wh", granularity=ZERO),
}


@pytest.mark.row("openadr:P10")
@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
async def test_what_cannot_be_reported_is_refused_and_the_rest_is_served(
    bad: ReportRequest,
) -> None:
    reporter = Reporter()
    created = await reporter.ask(bad, request("good"))
    assert (created.response.code, created.pending) == (461, ("good",))
    assert (created.response.description or "").startswith("bad: ")
    await reporter.after(25)
    assert reporter.vtn.starts("good") == [0.0, 10.0]
    assert reporter.vtn.of("bad") == []


@pytest.mark.row("openadr:P10")
async def test_too_many_requests_are_refused() -> None:
    reporter = Reporter()
    created = await reporter.ask(*(request(f"r{n}") for n in range(MAX_TASKS + 1)))
    assert created.response.code == 461
    assert len(created.pending) == MAX_TASKS


@pytest.mark.row("openadr:P3")
async def test_endless_and_extreme_windows_are_served() -> None:
    reporter = Reporter()
    created = await reporter.ask(
        request("old", start=START.replace(year=1), granularity=HOUR, back=HOUR),
        request("long", start=START, duration=timedelta(days=999_999_999)),
    )
    assert created.response.code == 200
    await reporter.after(25)
    starts = reporter.vtn.starts("old")
    assert len(starts) == 40 * 24
    assert reporter.vtn.starts("long") == [0.0, 10.0]


# --- quality, late data, a VTN that is down -------------------------------------------------------


@pytest.mark.parametrize(
    ("quality", "word", "confidence"),
    [
        (Quality.GOOD, DataQuality.GOOD, 100),
        (Quality.ESTIMATED, DataQuality.UNCERTAIN, 50),
        (Quality.STALE, DataQuality.UNCERTAIN_LAST_USABLE, 25),
        (Quality.INVALID, DataQuality.BAD, 0),
        (Quality.OFFLINE, DataQuality.BAD_COMMUNICATION, 0),
    ],
)
async def test_the_quality_goes_with_the_value(
    quality: Quality, word: DataQuality, confidence: int
) -> None:
    reporter = Reporter()
    reporter.source.quality = quality
    await reporter.ask(request("q", POWER, "portfolio/energy_wh"))
    await reporter.after(25)
    power, energy = reporter.vtn.payloads("q")[:2]
    assert (power.data_quality, power.confidence) == (word, confidence)
    assert (energy.data_quality, energy.confidence) == (word, confidence)
    assert power.value == 42.0
    assert energy.value == pytest.approx(42.0 / 360, abs=1e-6)


@pytest.mark.row("openadr:P3")
async def test_intervals_without_data_are_left_out_not_made_up() -> None:
    reporter = Reporter()
    reporter.source.gaps.append(Interval.lasting(START + TEN, TEN))
    await reporter.ask(request(back=3 * TEN))
    await reporter.after(40)
    assert reporter.vtn.starts() == [0.0, 20.0]
    (duty,) = reporter.reporting.duties
    assert duty.gaps == (Interval.lasting(START + TEN, TEN),)
    assert (duty.told_until, duty.period) == (START + 3 * TEN, TEN)


@pytest.mark.row("mv:M5")
async def test_what_the_vtn_has_is_what_it_took_also_over_a_restart() -> None:
    reporter = Reporter()
    await reporter.ask(request(back=TEN), request("on-change", granularity=ZERO, back=TEN))
    await reporter.after(33)
    reporter.vtn.up = False
    await reporter.after(60, step=10)
    (before,) = reporter.reporting.duties  # of a report on change nothing is due
    assert before.told_until == START + 3 * TEN, "made, but not taken"
    successor = await reporter.restarted()
    (again,) = successor.reporting.duties
    assert again == before
    reporter.vtn.up = True
    await successor.settle()
    (after,) = successor.reporting.duties
    assert after.told_until == START + 9 * TEN


async def test_late_data_is_waited_for_but_not_for_ever() -> None:
    reporter = Reporter()
    reporter.source.known = START + timedelta(seconds=14)
    await reporter.ask(request(back=TEN))
    await reporter.after(35, step=1)
    assert reporter.vtn.starts() == [0.0]
    reporter.source.known = START + timedelta(seconds=33)
    await reporter.settle()
    assert reporter.vtn.starts() == [0.0, 10.0, 20.0]
    await reporter.after(30, step=1)
    assert reporter.vtn.starts() == [0.0, 10.0, 20.0], "waits"
    await reporter.after(30, step=1)
    assert reporter.vtn.starts() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0], "no longer than 30 s"


@pytest.mark.row("openadr:P4")
async def test_a_vtn_that_was_down_for_hours_gets_everything_in_bounded_messages() -> None:
    reporter = Reporter()
    await reporter.ask(request(), request("b", *["site/depot-1/power_w"], back=TEN))
    await reporter.settle()
    reporter.vtn.up = False
    await reporter.after(6 * 3600, step=600)
    waiting = await reporter.memory.all(Unsent)
    assert waiting == {}, "reports wait with their request"
    tasks = (await reporter.memory.all(ReportTask)).values()
    assert [task.ready is not None for task in tasks] == [True, True], "one message a request"
    reporter.vtn.up = True
    reporter.vtn.taken.clear()
    await reporter.after(3)
    for key in ("rr1", "b"):
        assert reporter.vtn.starts(key) == [10.0 * n for n in range(6 * 360)]
        assert max(len(r.intervals) for r in reporter.vtn.of(key)) <= 500
        assert len(reporter.vtn.of(key)) <= 7


async def test_a_message_holds_a_bounded_number_of_values() -> None:
    sites = [f"s{n}" for n in range(300)]
    reporter = Reporter(source=FlatReports(sites))
    r_ids = [f"site/{site}/power_w" for site in sites]
    await reporter.ask(request("big", *r_ids, start=START - 10 * TEN, duration=10 * TEN))
    await reporter.after(10)
    assert [len(r.intervals) for r in reporter.vtn.of("big")] == [3, 3, 3, 1]


async def test_a_point_that_is_gone_is_left_out() -> None:
    reporter = Reporter()
    await reporter.ask(request("x", "site/depot-1/power_w", "site/depot-2/power_w"))
    reporter.source.sites.remove("depot-2")
    await reporter.after(25)
    assert {p.r_id for p in reporter.vtn.payloads("x")} == {"site/depot-1/power_w"}


async def test_the_clock_set_back_repeats_nothing() -> None:
    reporter = Reporter()
    await reporter.ask(request())
    await reporter.after(45, step=5)
    successor = await reporter.restarted(START + timedelta(seconds=5))
    await successor.after(100, step=5)
    assert reporter.vtn.starts() == [10.0 * n for n in range(10)]


async def test_a_fraction_of_a_second_as_the_finest_granularity_is_rounded_up() -> None:
    reporter = Reporter(limits=ReportLimits(min_granularity=timedelta(seconds=1.5)))
    await reporter.ask(request(granularity=ZERO, back=ZERO))
    await reporter.settle()
    assert [d for _, d in reporter.vtn.spans()] == [2.0]
    assert replace(reporter.vtn.reports[0], intervals=()).duration == timedelta(seconds=2)
