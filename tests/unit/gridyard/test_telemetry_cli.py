"""`gridyard telemetry export`: what is stored, in files that other programs read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from gateway.domain.metering.interval import Meter, MeterInterval
from gateway.store.bulk import BulkTelemetry
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.metering import SqlMeters
from gridyard.cli import app

RUN = CliRunner()
T0 = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
SETTINGS = """
data: {data}
sites: [{{site_id: depot-1, name: D, time_zone: UTC, import_limit_w: 1000}}]
link: {{ca: a, broker_cert: a, broker_key: a, cert: a, key: a, nats: n}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.yaml"
    file.write_text(SETTINGS.format(data=tmp_path / "data"))
    return file


@pytest.fixture
async def stored(tmp_path: Path) -> None:
    """An hour over midnight of two sites, and two quarters of a meter, one corrected."""
    database = Database.open(tmp_path / "data" / "gateway.sqlite", threaded=False)
    at = [micros(T0 + number * timedelta(minutes=10)) for number in range(6)]
    for site in ("depot-1", "depot-2"):
        await BulkTelemetry(database).put(
            [(site, "pcc_power_w", one, float(n), "good", None) for n, one in enumerate(at)]
        )
    meters = SqlMeters(database)
    for energy, issued in ((5.0, 1), (6.0, 2)):
        told = MeterInterval(
            start=T0, length=QUARTER, energy_wh=energy, issued_at=T0 + issued * QUARTER
        )
        await meters.deliver("depot-1", "grid", Meter(), [told], T0 + issued * QUARTER)
    database.close()


def export(config: Path, *more: str) -> Any:
    command = ["telemetry", "export", "-c", str(config), "--from", "2026-06-01", "--to"]
    return RUN.invoke(app, [*command, "2026-06-02", *more])


@pytest.mark.usefixtures("stored")
@pytest.mark.row("mv:M1")
def test_every_kind_and_day_is_a_file(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "files"
    for _ in range(2):
        answer = export(config, "--out", str(out), "--json")
        assert answer.exit_code == 0, answer.output
    assert [(Path(one["file"]).name, one["rows"]) for one in json.loads(answer.stdout)] == [
        ("readings-2026-06-01.parquet", 6),
        ("readings-2026-06-02.parquet", 6),
        ("meter-intervals-2026-06-01.parquet", 2),
    ]
    readings = parquet.read_table(out / "readings-2026-06-01.parquet").to_pylist()
    assert [(row["site_id"], row["at_us"], row["value"]) for row in readings[:4]] == [
        ("depot-1", T0, 0.0),
        ("depot-1", T0 + timedelta(minutes=10), 1.0),
        ("depot-1", T0 + timedelta(minutes=20), 2.0),
        ("depot-2", T0, 0.0),
    ]
    intervals = parquet.read_table(out / "meter-intervals-2026-06-01.parquet").to_pylist()
    assert [(row["version"], row["energy_wh"], row["length_s"]) for row in intervals] == [
        (1, 5.0, 900),
        (2, 6.0, 900),
    ]
    assert intervals[1]["received_us"] == T0 + 2 * QUARTER
    assert sorted(out.glob("*.part")) == []


@pytest.mark.usefixtures("stored")
def test_one_site_and_one_kind_in_words(config: Path, tmp_path: Path) -> None:
    chosen = ["--out", str(tmp_path), "--site", "depot-2", "--kind", "readings"]
    answer = export(config, *chosen)
    assert answer.stdout.splitlines() == [
        f"{tmp_path}/readings-2026-06-01.parquet: 3 rows",
        f"{tmp_path}/readings-2026-06-02.parquet: 3 rows",
    ]
    none = export(config, "--out", str(tmp_path), "--kind", "means")
    assert none.stdout == "nothing is stored of these days\n"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--site", "depot-9"], "--site depot-9: nothing is stored of it"),
        (["--kind", "all"], "--kind all: there are readings, means, meter-intervals"),
        (["--from", "june"], "write a day as 2026-06-01"),
        (["--from", "2026-06-03"], "between 1 and 3700 days"),
    ],
)
def test_a_mistake_is_told(config: Path, tmp_path: Path, options: list[str], said: str) -> None:
    answer = export(config, "--out", str(tmp_path / "files"), *options)
    assert answer.exit_code == 3
    assert said in answer.stderr
    assert not (tmp_path / "files").exists()
