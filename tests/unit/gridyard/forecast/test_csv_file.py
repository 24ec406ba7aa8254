"""Past data from CSV files: steps, units, local time, and what makes no sense."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from gridyard.forecast import csv_file
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean
from site_agent.domain.horizon import QUARTER

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def read(tmp_path: Path, text: str, zone: ZoneInfo = BERLIN) -> dict[str, list[QuarterMean]]:
    path = tmp_path / "past.csv"
    path.write_text(text)
    found = csv_file.by_series(csv_file.read(path, zone))
    return {series: list(means) for series, means in found.items()}


def test_columns_have_units(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "start,load_kw,pv_w,outdoor_f\n"
        "2026-03-01T13:00,10,-5,50\n"
        "2026-03-01T13:15,nan,2000,\n"
        "2026-03-01T13:30,12.5,1000,41\n",
    )
    load = found[LOAD_W]
    assert [(one.start, one.mean) for one in load] == [
        (START, 10_000.0),
        (START + 2 * QUARTER, 12_500.0),
    ]
    assert all(one.imported and one.covered_s == 900.0 for one in load)
    assert [one.mean for one in found[PV_W]] == [0.0, 2_000.0, 1_000.0]  # standby is no generation
    assert [one.mean for one in found[OUTDOOR_C]] == pytest.approx([10.0, 5.0])


def test_without_a_heading_it_is_load_in_kilowatts(tmp_path: Path) -> None:
    found = read(tmp_path, "2026-03-01 13:00:00,1.5\n2026-03-01 13:15:00,2\n")
    assert [one.mean for one in found[LOAD_W]] == [1_500.0, 2_000.0]


def test_minutes_become_quarters_and_say_how_much_they_cover(tmp_path: Path) -> None:
    rows = [f"2026-03-01T12:{minute:02}Z,{minute}" for minute in range(0, 30, 5) if minute != 25]
    found = read(tmp_path, "start,load_w\n" + "\n".join(rows))
    assert [(one.mean, one.covered_s) for one in found[LOAD_W]] == [(5.0, 900.0), (17.5, 600.0)]


def test_an_hour_fills_four_quarters(tmp_path: Path) -> None:
    found = read(tmp_path, "start,load_w\n2026-03-01T12:00Z,4\n2026-03-01T13:00Z,8\n")
    assert [one.mean for one in found[LOAD_W]] == [4.0] * 4 + [8.0] * 4


def test_the_hour_that_comes_twice_is_two_hours(tmp_path: Path) -> None:
    clock = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    rows = "\n".join(f"2026-10-25T{at},{i}" for i, at in enumerate(clock))
    found = read(tmp_path, f"start,load_w\n{rows}\n")
    starts = [one.start for one in found[LOAD_W]][::2]
    assert starts[0] == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert [later - start for start, later in pairwise(starts)] == [timedelta(minutes=30)] * 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "fewer than two rows"),
        ("start,load_kw\n2026-03-01T12:00,1\n", "fewer than two rows"),
        ("start,power\n2026-03-01T12:00,1\n", "line 1: column power: name them start and any of"),
        ("1,2,3\n", "no heading: begin with start,load_kw,pv_kw,outdoor_c"),
        ("start,load_kw\nyesterday,1\n", "line 2: 'yesterday' is no time such as"),
        ("start,load_kw\n2026-03-01T12:00,much\n", "line 2: 'much' is no number"),
        ("start,load_kw\n2026-03-01T12:00,inf\n", "line 2: 'inf' is out of any range"),
        ("start,load_kw\n2026-03-01T12:00\n", "line 2: 1 cells, not 2"),
        (
            "start,load_kw\n2026-03-01T12:00,1\n2026-03-01T11:00,1\n",
            "line 3: 2026-03-01T11:00 is not after the line before",
        ),
        ("start,load_kw\n2026-03-01T12:00,1\n2026-03-01T16:00,1\n", "rows are 4:00:00 apart"),
        ("start,pv_kw\n2026-03-01T12:00,-9\n2026-03-01T12:15,-8\n", "give it as positive numbers"),
    ],
)
def test_what_makes_no_sense_is_named_by_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, text)


def test_a_compressed_file_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b"start,load_w\n2026-03-01T12:00Z,1\n2026-03-01T12:15Z,2\n")
    path = tmp_path / "past.csv.gz"
    path.write_bytes(whole)
    assert len(csv_file.read(path, BERLIN)) == 2
    path.write_bytes(whole[:-12])
    with pytest.raises(ConfigError, match="cannot be read"):
        csv_file.read(path, BERLIN)


def test_a_file_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_BYTES", 1 << 10)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (1 << 20)))
    with pytest.raises(ConfigError, match="larger than"):
        csv_file.read(path, BERLIN)


@given(
    loads=st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=2, max_size=40),
    hours=st.integers(0, 24 * 366),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, loads: list[float | None], hours: int
) -> None:
    start = START + timedelta(hours=hours)
    rows = [
        QuarterMean(series=LOAD_W, start=start + i * QUARTER, mean=value, covered_s=900.0)
        for i, value in enumerate(loads)
        if value is not None
    ]
    path = tmp_path_factory.mktemp("csv") / "past.csv"
    path.write_text("\n".join(csv_file.write({LOAD_W: rows}, BERLIN)))
    contiguous = [later.start - one.start for one, later in pairwise(rows)]
    if len(rows) < 2 or any(step != QUARTER for step in contiguous):
        return  # what a row stands for is told by the usual distance of rows
    again = csv_file.read(path, BERLIN)
    assert [one.start for one in again] == [one.start for one in rows]
    assert [one.mean for one in again] == pytest.approx([one.mean for one in rows], rel=1e-4, abs=1)
