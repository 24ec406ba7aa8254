"""`gridyard meter` against a gateway on a real socket."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridyard.cli import app
from gridyard.meter import asking
from support.served_gateway import served

RUN = CliRunner()
DAYS = ["--from", "2026-11-01", "--to", "2026-11-01"]
"""At North Yard clocks go back on it: 25 hours."""
MIDNIGHT = datetime(2026, 11, 1, 7, tzinfo=UTC)


@pytest.fixture
def gateway() -> Iterator[str]:
    with served() as url:
        yield url


def run(gateway: str, *args: str) -> tuple[int, str, str]:
    answer = RUN.invoke(app, ["meter", *args, "--gateway", gateway])
    return answer.exit_code, answer.stdout, answer.stderr


def day_file(folder: Path, name: str, count: int, *, local: bool = False) -> Path:
    starts = [MIDNIGHT + n * timedelta(minutes=15) for n in range(count)]
    zone = timedelta(hours=-7)
    wall = [f"{at + zone:%Y-%m-%dT%H:%M}" if local else at.isoformat() for at in starts]
    path = folder / name
    path.write_text("start,energy_wh\n" + "".join(f"{at},25000\n" for at in wall))
    return path


def test_a_file_is_delivered_shown_and_its_gaps_found(gateway: str, tmp_path: Path) -> None:
    path = day_file(tmp_path, "day.csv", 98)
    code, out, _ = run(gateway, "deliver", "north-yard", "grid", str(path))
    assert (code, out) == (
        0,
        "meter grid of north-yard: 98 stored, 0 known already, 0 flagged, 0 refused\n",
    )
    assert "0 stored, 98 known" in run(gateway, "deliver", "north-yard", "grid", str(path))[1]
    shown = run(gateway, "show", "north-yard", "grid", *DAYS)[1].splitlines()
    assert len(shown) == 98
    assert shown[0] == "2026-11-01T00:00-07:00      25.000 kWh  good, v1"
    assert shown[-1].startswith("2026-11-01T23:15-08:00")
    gaps = run(gateway, "missing", "north-yard", "grid", *DAYS)[1]
    assert gaps == "2026-11-01T23:30-08:00 to 2026-11-02T00:00-08:00: 2 intervals\n"


def test_local_times_that_were_twice_are_refused_by_row(gateway: str, tmp_path: Path) -> None:
    path = day_file(tmp_path, "local.csv", 12, local=True)
    out = run(gateway, "deliver", "north-yard", "grid", str(path))[1]
    assert "8 stored, 0 known already, 0 flagged, 4 refused" in out
    assert (
        "refused  row 5: 2026-11-01 01:00:00 happens twice in America/Los_Angeles: give the "
        "offset, -0700 or -0800" in out
    )
    asked = run(gateway, "deliver", "north-yard", "grid", str(path), "--zone", "UTC", "--json")[1]
    assert json.loads(asked)["refused"] == 0


def test_versions_of_an_interval_and_what_was_known_before(gateway: str, tmp_path: Path) -> None:
    for energy, issued in ((25000, "2026-11-02T00:00:00Z"), (20000, "2026-11-03T00:00:00Z")):
        path = tmp_path / "one.json"
        row = {"start": MIDNIGHT.isoformat(), "energy_wh": energy}
        path.write_text(json.dumps({"issued_at": issued, "intervals": [row]}))
        assert run(gateway, "deliver", "north-yard", "grid", str(path))[0] == 0
    lines = run(gateway, "versions", "north-yard", "grid", "2026-11-01T00:00")[1].splitlines()
    assert [line.split()[1] for line in lines] == ["25.000", "20.000"]
    assert "issued 2026-11-01T17:00-07:00" not in lines[0]
    assert "issued 2026-11-01T16:00-08:00" in lines[0]
    before = run(gateway, "show", "north-yard", "grid", *DAYS, "--known-at", "2026-11-20T00:00Z")[1]
    assert before == "nothing was delivered\n"


def test_meters_are_listed(gateway: str) -> None:
    assert run(gateway, "list", "harbor")[1] == "grid: import, every 15 min, at most 500 kW\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("deliver", "north-yard", "grid", "nothing.csv"), "nothing.csv: No such file"),
        (("deliver", "north-yard", "grid", "x.txt"), "its name must end in one of .json"),
        (("show", "north-yard", "other", *DAYS), "no meter 'other'"),
        (("show", "north-yard", "grid", "--from", "x", "--to", "y"), "'x' is no day"),
        (("versions", "north-yard", "grid", "2026-11-01T01:15"), "happens twice"),
    ],
)
def test_what_cannot_be_done_is_said(gateway: str, args: tuple[str, ...], said: str) -> None:
    code, _, error = run(gateway, *args)
    assert code != 0
    assert said in error


def test_a_large_file_goes_in_parts_with_its_rows_numbered_through(
    gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ROWS_AT_ONCE", 10)
    path = day_file(tmp_path, "day.csv", 24)
    path.write_text(path.read_text() + "never,1\n")
    seen: list[tuple[int, int]] = []
    found = asking.delivered(
        gateway, path, "north-yard", "grid", {}, lambda done, of: seen.append((done, of))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (found["stored"], found["refused"], found["refusals"][0]["row"]) == (24, 1, 25)
