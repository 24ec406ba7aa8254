"""`gridyard program` on templates, files and a gateway's database."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.config import GatewaySettings
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.programs import library
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from gridyard.cli import app
from gridyard.program.asking import counted

RUN = CliRunner()
SETTINGS = """\
data: {data}
sites:
  - {{site_id: depot-1, name: North, time_zone: America/New_York, import_limit_w: 500000}}
link: {{ca: a, broker_cert: b, broker_key: c, cert: d, key: e, nats: f}}
programs:
  - program_id: relief
    name: Relief
    utility_id: u1
    time_zone: America/New_York
    rules:
      quotas:
        - {{limit: 3, per: month}}
        - {{limit: 30, unit: hours, per: month, scope: network}}
      enrolment: [{{site_min_w: 50000, history_days: 30}}]
    enrolments:
      - {{site_id: depot-1, nominated_w: 40000, network: harbour}}
"""
MAY_5 = datetime(2026, 5, 5, 20, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.yaml"
    file.write_text(SETTINGS.format(data=tmp_path / "data"))
    return file


def event(number: int, start: datetime, hours: float) -> GridEvent:
    window = Interval.lasting(start, timedelta(hours=hours))
    return GridEvent(
        utility_id="u1",
        event_id=f"e{number}",
        modification=0,
        program_id="relief",
        created_at=start - timedelta(days=1),
        window=window,
        signals=(Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(window, -1.0)])),),
    )


async def stored(database: Database, one: GridEvent, opt: Opt = Opt.IN) -> None:
    decision = OptDecision(
        event_key=one.key, modification=one.modification, opt=opt, cause="a test"
    )
    await SqlLedger(database).put_event(one, decision, one.created_at)


def test_list_show_explain_check() -> None:
    listed = json.loads(RUN.invoke(app, ["program", "list", "--json"]).stdout)
    assert [one["template"] for one in listed] == list(library.names())
    assert "Base Interruptible" in RUN.invoke(app, ["program", "list"]).stdout
    shown = json.loads(RUN.invoke(app, ["program", "show", "bip-type", "--json"]).stdout)
    assert shown["rules"]["commitment"][0]["shape"] == "to"
    assert "shape: to" in RUN.invoke(app, ["program", "show", "bip-type"]).stdout
    told = RUN.invoke(app, ["program", "explain", "bip-type"]).stdout
    assert "Limit: at most 10 events a month" in told
    assert "drop to a firm service level of at most 85 %" in told
    checked = RUN.invoke(app, ["program", "check", "bip-type", "--strict"])
    assert checked.exit_code == 1
    assert "rates are examples" in checked.stdout


def test_a_file_with_a_mistake_is_refused_with_its_field(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("template: mine\ntitle: M\nabout: m\ntime_zone: UTC\nrules: {quotas: [{}]}\n")
    answer = RUN.invoke(app, ["program", "check", str(file)])
    assert answer.exit_code == 3
    assert "mine.yaml:5: rules.quotas.0.limit" in answer.stderr


async def test_counters_of_a_gateway_with_a_shortened_and_a_refused_event(
    config: Path, tmp_path: Path
) -> None:
    database = Database.open(tmp_path / "data" / "gateway.sqlite", threaded=False)
    night = event(1, datetime(2026, 5, 1, 3, tzinfo=UTC), 2)  # 23:00 on 30 April, 2 h
    await stored(database, night)
    long = event(2, MAY_5, 4)
    await stored(database, long)
    short = replace(long, modification=1, window=Interval.lasting(MAY_5, timedelta(hours=1)))
    await stored(database, short)
    await stored(database, event(3, MAY_5 + timedelta(days=1), 4), Opt.OUT)
    database.close()
    found = await asyncio.to_thread(counted, config, None, MAY_5 + timedelta(days=10))
    assert [(one["of"], one["unit"], one["used"], one["left"]) for one in found] == [
        ("", "events", 1, 2),
        ("harbour", "hours", 2, 28),
    ]
    assert (found[0]["first"], found[0]["last"]) == ("2026-05-01", "2026-05-31")


def test_counters_without_a_database_say_so(config: Path) -> None:
    answer = RUN.invoke(app, ["program", "counters", "--config", str(config)])
    assert answer.exit_code == 3
    assert "no database yet" in answer.stderr


def test_eligible_names_every_condition(config: Path) -> None:
    answer = RUN.invoke(app, ["program", "eligible", "--config", str(config), "--json"])
    assert answer.exit_code == 1
    (entry,) = json.loads(answer.stdout)
    assert {one["about"]: one["answer"] for one in entry["conditions"]} == {
        "size of the site": "no",
        "meter history": "unknown",
        "consent": "unknown",
    }
    people = RUN.invoke(app, ["program", "eligible", "--config", str(config)]).stdout
    assert "40.0 kW; at least 50.0 kW" in people
    strange = RUN.invoke(app, ["program", "eligible", "-c", str(config), "--program", "x"])
    assert (strange.exit_code, "they have: Relief" in strange.stderr) == (3, True)


PREDICTABLE = """\
data: {data}
sites:
  - {{site_id: steady, name: Steady, time_zone: America/New_York, import_limit_w: 500000}}
  - {{site_id: erratic, name: Erratic, time_zone: America/New_York, import_limit_w: 500000}}
link: {{ca: a, broker_cert: b, broker_key: c, cert: d, key: e, nats: f}}
programs:
  - program_id: wholesale
    name: Wholesale
    utility_id: u1
    template: wdrm-type
    enrolments:
      - {{site_id: steady, nominated_w: 50000}}
      - {{site_id: erratic, nominated_w: 50000}}
"""


async def two_sites(database: Database) -> None:
    """Sixty days: one site draws the same always, the other five times that each other day."""
    telemetry = SqlTelemetry(database, max_hold=timedelta(minutes=15))
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    hours = list(Interval(start=now - timedelta(days=60), end=now).split(timedelta(hours=1)))
    for site, extra in (("steady", 0.0), ("erratic", 400_000.0)):
        load = StepSeries.of(
            (one, 100_000.0 + extra * (one.start.timetuple().tm_yday % 2)) for one in hours
        )
        await telemetry.insert_history(site, points.PCC_POWER_W, load, "synthetic")


def test_whether_a_site_can_be_predicted_is_tried_on_its_own_telemetry(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(PREDICTABLE.format(data=tmp_path / "data"))
    unknown = json.loads(
        RUN.invoke(app, ["program", "eligible", "-c", str(config), "--json"]).stdout
    )
    assert {one["answer"] for one in unknown[0]["conditions"] if "baseline" in one["about"]} == {
        "unknown"
    }
    database = Database.open(loads(config.read_text(), GatewaySettings, name="x").database)
    asyncio.run(two_sites(database))
    database.close()
    told = RUN.invoke(app, ["program", "eligible", "-c", str(config), "--json"])
    found = {
        entry["site_id"]: {one["about"]: one["answer"] for one in entry["conditions"]}
        for entry in json.loads(told.stdout)
    }
    assert (found["steady"]["baseline error"], found["steady"]["baseline bias"]) == ("yes", "yes")
    assert found["erratic"]["baseline error"] == "no"
    assert told.exit_code == 1


def test_a_program_of_the_settings_explains_itself(config: Path) -> None:
    answer = RUN.invoke(app, ["program", "explain", "Relief", "--config", str(config)])
    assert "at most 30 hours a month and network" in answer.stdout
