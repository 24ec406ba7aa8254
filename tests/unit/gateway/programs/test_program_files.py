"""Program files: short forms, and mistakes that are named by line and field."""

from pathlib import Path

import pytest

from contracts.config import loads
from contracts.days import FromEaster, NthWeekday, OnDate
from contracts.errors import ConfigError
from gateway.domain.program.source import Confidence, Source
from gateway.programs import library
from gateway.programs.schema import ProgramFile

GOOD = """\
template: mine
title: Mine
about: A program of our own.
time_zone: Europe/Berlin
rules:
  seasons: [{name: winter, first: 11-01, last: 03-31, source: T25 a digest}]
  days: {kinds: [saturday, holiday], holidays: [12-25, 11 thu 4, easter+1]}
  windows:
    - {start: 17:00, end: "24:00", kinds: weekends}
  quotas:
    - {limit: 3, per: month}
  tests: {count: 1, windows: [{name: w, first: 01-01, last: 02-01}], notice: {by: "17:00"}}
  capacity_pay: [{rate: 4.35 EUR/kW-month}]
"""


def load(text: str = GOOD) -> ProgramFile:
    return loads(text, ProgramFile, name="mine.yaml")


def test_short_forms() -> None:
    rules = library.program(load()).rules
    assert (rules.seasons[0].first, rules.seasons[0].last) == ((11, 1), (3, 31))
    assert rules.seasons[0].source == Source(
        confidence=Confidence.THIRD_PARTY, year=2025, text="a digest"
    )
    assert rules.days.kinds == {5, 7}
    assert rules.days.holidays.rules == (
        OnDate(month=12, day=25),
        NthWeekday(month=11, weekday=3, nth=4),
        FromEaster(days=1),
    )
    assert (rules.windows[0].start, rules.windows[0].end) == (1020, 1440)
    assert rules.tests is not None
    assert rules.tests.windows[0].last == (2, 1)
    assert rules.tests.notice is not None
    assert rules.tests.notice.by == 1020
    rate = rules.capacity_pay[0].rate
    assert rate is not None
    assert (str(rate.amount), rate.currency, rate.example) == ("4.35", "EUR", True)


@pytest.mark.row("portfolio:A1")
@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ("per: month", "per: fortnight", ":11: rules.quotas.0.per", "'month', 'season'"),
        ("limit: 3", "limit: 3, unti: hours", ":11: rules.quotas.0.unti", "Unexpected"),
        ("limit: 3", "limit: -3", ":11: rules.quotas.0", "limit: must not be negative"),
        ("11-01", "13-01", ":6: rules.seasons.0", "first: there is no day 13-01"),
        ("11-01", "November", ":6: rules.seasons.0", "first: 'November' is no day of a year"),
        ("17:00, end", "25:00, end", ":9: rules.windows.0", "start: a time of day lies between"),
        ('"24:00"', '"24:30"', ":9: rules.windows.0", "end: '24:30' is no time of day"),
        ("kinds: weekends", "kinds: sundays", ":9: rules.windows.0", "kinds: 'sundays' is none of"),
        ("[saturday", "[caturday", ":7: rules.days", "kinds: 'caturday' is none of"),
        ("easter+1", "xmas", ":7: rules.days", "holidays: 'xmas' is no holiday"),
        ("T25 a", "X25 a", ":6: rules.seasons.0", "source: 'X25 a digest' is no source"),
        ("4.35 EUR", "4.35", ":13: rules.capacity_pay.0", "rate: '4.35/kW-month' is no rate"),
        ('notice: {by: "17:00"}', "notice: {}", ":12: rules.tests.notice", "one of lead"),
        ("Berlin", "Bonn", ":4: time_zone", "Europe/Bonn"),
        ("per: month", "per: term", ":5: rules", "say when the terms begin"),
        ("template: mine", "template: My Own", ":1: template", "should match pattern"),
    ],
)
def test_a_mistake_is_named_by_line_and_field(old: str, new: str, where: str, why: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new))
    assert where in str(caught.value)
    assert why in str(caught.value)


def test_hostile_files_end_with_a_sentence(tmp_path: Path) -> None:
    many = "\n".join("    - {limit: 3, per: month}" for _ in range(101))
    with pytest.raises(ConfigError, match="at most 100 items"):
        load(GOOD.replace("    - {limit: 3, per: month}", many))
    with pytest.raises(ConfigError, match=r"(?s)mine.yaml.*rules"):
        load("template: x\ntitle: X\nabout: y\ntime_zone: UTC\nrules: [1, 2]\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        library.found(str(tmp_path / "gone.yaml"))
