"""The words of `gridyard ocpp` on the command line."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import LinkDownError, PermanentError
from gridyard.cli import app
from site_agent.devices.ocpp.operate.recording import entry, header
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.wire.trace import Direction, Frame
from site_agent.domain.device import ChargerSpec
from support.console_door import scripted_door

RUN = CliRunner()
TRACES = Path(__file__).parents[3] / "support" / "traces"
AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
CONFIG = StationConfig(charge_point_id="CP1", evses={1: ChargerSpec(evse_id="e1", node="pcc")})
FRAMES = (
    Frame(AT, Direction.LINK, "open ocpp1.6"),
    Frame(AT, Direction.IN, '[2,"abcdefgh","Authorize",{"idTag":"TAG-12345"}]'),
    Frame(AT, Direction.OUT, '[3,"abcdefgh",{"idTagInfo":{"status":"Accepted"}}]'),
)
TRACE: list[dict[str, Any]] = [
    {"zone": "Europe/Berlin", "header": header(CONFIG, Timing(), None, "1.0", AT)},
    *({"frame": entry(frame)} for frame in FRAMES),
]
EVSE: dict[str, Any] = {
    "evse": 1, "id": "e1", "plugged": True, "transaction": "7", "id_tag": "TAG-…",
    "asked_a": 16.0, "trial_a": None, "confirmed_a": 16.0, "measured_a": 21.0, "power_w": 14490.0,
    "obeys": False, "pausable": False, "lapse": "none", "ceiling_a": 20.0, "writes_a_day": 3,
}  # fmt: skip
STATION: dict[str, Any] = {
    "zone": "Europe/Berlin", "charge_point": "CP1", "online": True, "ready": True,
    "version": "ocpp1.6", "vendor": "V", "model": "M", "firmware": None,
    "online_since": AT.isoformat(), "last_frame_age_s": 2.0, "faults": {"bad frame": 2},
    "checked_in": {"1": {"at": AT.isoformat(), "pass": 9, "fail": 1, "not_tried": 2}},
    "evses": [EVSE],
}  # fmt: skip
OFFLINE: dict[str, Any] = STATION | {
    "charge_point": "CP2", "online": False, "vendor": None, "model": None, "checked_in": None,
    "faults": {}, "evses": [],
}  # fmt: skip
DETAILS: dict[str, Any] = STATION | {
    "capabilities": {"units": ["A", "W"], "max_stack_level": None},
    "settings": {"HeartbeatInterval": "60"},
    "conditions": {"1": "Charging"},
    "security_events": [{"at": AT.isoformat(), "kind": "TamperDetection", "info": None}],
    "fault_meanings": [{"kind": "bad frame", "count": 2, "meaning": "no OCPP-J message"}],
}


def run(folder: Path, *words: object, stdin: str | None = None) -> Result:
    return RUN.invoke(app, ["ocpp", *map(str, words), "--data", str(folder)], input=stdin)


def test_list_shows_what_matters(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"list": [STATION, OFFLINE]}):
        shown = run(tmp_path, "list")
        told = run(tmp_path, "list", "--json")
    assert shown.exit_code == 0, shown.stderr
    assert "CP1  ocpp1.6, since 2026-01-05 13:00:00, last frame 2 s ago  V M" in shown.stdout
    assert "asked 16.0 A, confirmed 16.0 A, measured 21.0 A, 14.49 kW" in shown.stdout
    assert "DOES NOT OBEY, lapse: none, 3 profiles written in 24 h, takes no 0 A" in shown.stdout
    assert "others allow 20.0 A" in shown.stdout
    assert "EVSE 1 on 2026-01-05 13:00:00 (9 passed, 1 failed, 2 not tried)" in shown.stdout
    assert "bad frame ×2" in shown.stdout
    assert "CP2  OFFLINE" in shown.stdout
    assert json.loads(told.stdout) == [STATION, OFFLINE]


def test_show_explains(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"show": [DETAILS]}) as asked:
        shown = run(tmp_path, "show", "CP1")
    assert asked == [("show", {"charge_point": "CP1"})]
    for part in (
        "1 = Charging",
        "units = A, W",
        "max stack level = not told",
        "HeartbeatInterval = 60",
        "2026-01-05 13:00:00  TamperDetection",
        "×2  bad frame: no OCPP-J message",
    ):
        assert part in shown.stdout


def test_get_and_composite(tmp_path: Path) -> None:
    settings = {
        "zone": "UTC",
        "settings": [{"name": "A", "value": "1", "readonly": True}],
        "unknown": ["B"],
    }
    period = {"start": AT.isoformat(), "limit_a": 6.0, "limit_w": 4140, "phases": 3}
    schedule = {"zone": "Europe/Berlin", "unit": "W", "periods": [period]}
    with scripted_door(tmp_path, {"get": [settings], "composite": [schedule]}) as asked:
        got = run(tmp_path, "get", "CP1", "A", "B")
        told = run(tmp_path, "composite", "CP1", "1", "--hours", "2")
    assert got.stdout == "A = 1  (read only)\nB: the charger does not know it\n"
    assert "from 2026-01-05 13:00:00     6.0 A    4.14 kW  on 3 phases" in told.stdout
    assert "(told in W; times in Europe/Berlin)" in told.stdout
    assert asked[0] == ("get", {"charge_point": "CP1", "keys": ["A", "B"], "all": False})
    assert asked[1] == ("composite", {"charge_point": "CP1", "evse": 1, "hours": 2})


@pytest.mark.parametrize(
    ("words", "args"),
    [
        (("set", "CP1", "K", "V"), {"key": "K", "value": "V"}),
        (("start", "CP1", "TAG", "--evse", "2"), {"id_tag": "TAG", "evse": 2}),
        (("stop", "CP1"), {}),
        (("trigger", "CP1", "Heartbeat"), {"message": "Heartbeat"}),
        (("reset", "CP1", "--hard"), {"hard": True}),
        (("unlock", "CP1"), {}),
        (("availability", "CP1", "off"), {"operative": False}),
        (("call", "CP1", "X", '{"a": 1}'), {"action": "X", "payload": {"a": 1}, "yes": False}),
    ],
)
def test_orders(tmp_path: Path, words: tuple[str, ...], args: dict[str, Any]) -> None:
    name = words[0]
    with scripted_door(tmp_path, {name: [{"ok": True, "answer": {"status": "Fine"}}]}) as asked:
        done = run(tmp_path, *words)
    assert done.stdout == 'accepted: {"status": "Fine"}\n'
    assert asked == [(name, {"charge_point": "CP1"} | args)]


def test_an_order_not_obeyed_is_a_failure(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"unlock": [{"ok": False, "answer": {"status": "No"}}]}):
        done = run(tmp_path, "unlock", "CP1")
    assert done.exit_code == 1
    assert "NOT accepted" in done.stdout


def test_a_payload_from_stdin_and_one_that_is_none(tmp_path: Path) -> None:
    with scripted_door(tmp_path, {"call": [{"ok": True, "answer": {}}]}) as asked:
        assert run(tmp_path, "call", "CP1", "X", "-", stdin='{"b": 2}').exit_code == 0
        assert run(tmp_path, "call", "CP1", "X", "[").exit_code == 3
        assert run(tmp_path, "call", "CP1", "X", "[]").exit_code == 3
        assert run(tmp_path, "availability", "CP1", "maybe").exit_code == 2
    assert asked[0][1]["payload"] == {"b": 2}
    assert len(asked) == 1


def test_trace_in_three_ways_and_saved(tmp_path: Path) -> None:
    file = tmp_path / "saved.jsonl"
    with scripted_door(tmp_path, {"trace": [*TRACE, {"missed": 3}]}) as asked:
        lines = run(tmp_path, "trace", "CP1", "--last", "9", "--save", file)
        raw = run(tmp_path, "trace", "CP1", "--raw")
        told = run(tmp_path, "trace", "CP1", "--json", "--follow")
        again = run(tmp_path, "trace", "CP1", "--save", file)
    assert '13:00:00.000 <- Authorize #cdefgh {"idTag":"TAG-…"}' in lines.stdout
    assert "Authorize.conf" in lines.stdout
    assert "(3 frames missed" in lines.stdout
    assert f"in {FRAMES[1].text}" in raw.stdout
    assert [json.loads(line) for line in told.stdout.splitlines()] == [*TRACE, {"missed": 3}]
    assert len(file.read_text().splitlines()) == 1 + len(FRAMES)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert again.exit_code == 3, "a file that is there is not written over"
    assert asked[0][1] == {"charge_point": "CP1", "last": 9, "follow": False}


def test_check_in_tells_every_step(tmp_path: Path) -> None:
    step = {"step": "clock", "verdict": "PASS", "detail": "right", "hint": ""}
    bad = {"step": "0 A taken", "verdict": "FAIL", "detail": "goes on", "hint": "see there"}
    result = {"result": {"pass": 1, "fail": 1, "not_tried": 0}}
    with scripted_door(tmp_path, {"check-in": [step, bad, result]}) as asked:
        shown = run(tmp_path, "check-in", "CP1", "--reboot")
        told = run(tmp_path, "check-in", "CP1", "--json")
    assert shown.exit_code == told.exit_code == 1
    assert "PASS       clock: right\nFAIL       0 A taken: goes on" in shown.stdout
    assert "-> see there" in shown.stdout
    assert "1 passed, 1 failed, 0 not tried" in shown.stdout
    assert json.loads(told.stdout) == [step, bad, result]
    assert asked[0][1] == {"charge_point": "CP1", "reboot": True}


def test_check_in_that_passes(tmp_path: Path) -> None:
    step = {"step": "clock", "verdict": "NOT TRIED", "detail": "no samples", "hint": ""}
    with scripted_door(tmp_path, {"check-in": [step]}):
        assert run(tmp_path, "check-in", "CP1").exit_code == 0


@pytest.mark.parametrize("error", [LinkDownError("CP1: offline"), PermanentError("no CP1")])
def test_what_the_agent_refuses_is_said_plainly(tmp_path: Path, error: Any) -> None:
    with scripted_door(tmp_path, {"show": error}):
        done = run(tmp_path, "show", "CP1")
    assert done.exit_code == 1
    assert str(error) in done.stderr


def test_no_agent_and_no_folder(tmp_path: Path) -> None:
    nobody = run(tmp_path, "list")
    assert nobody.exit_code == 1
    assert "no agent runs" in nobody.stderr
    assert "gridyard site --config" in nobody.stderr
    assert run(tmp_path / "nowhere", "list").exit_code == 3
    both = RUN.invoke(app, ["ocpp", "list"])
    assert both.exit_code == 3
    assert "--site FILE" in both.stderr


def test_the_folder_is_found_by_the_settings(tmp_path: Path) -> None:
    settings = tmp_path / "site.yaml"
    settings.write_text(
        f"site_id: depot-1\ndata: {tmp_path}\ncontract_limit_w: 60000\nmax_building_w: 10000\n"
        "circuit: {limit_a: 100}\nmeter: {host: 127.0.0.1}\n"
    )
    with scripted_door(tmp_path, {"list": []}):
        found = RUN.invoke(app, ["ocpp", "list", "--site", str(settings)])
    assert found.exit_code == 0, found.stderr
    assert "no charge points" in found.stdout


def test_replay_says_whether_all_is_as_it_was(tmp_path: Path) -> None:
    kept = (TRACES / "cp-1.jsonl").read_text()
    file = tmp_path / "trace.jsonl"
    file.write_text(kept)
    same = RUN.invoke(app, ["ocpp", "replay", str(file), "--all"])
    assert same.exit_code == 0, same.stdout
    assert "same  StartTransaction" in same.stdout
    assert same.stdout.splitlines()[-1].endswith(" steps, 0 differ")

    file.write_text(kept.replace('\\"interval\\":60', '\\"interval\\":61'))
    other = RUN.invoke(app, ["ocpp", "replay", str(file)])
    assert other.exit_code == 1
    assert "DIFF  BootNotification" in other.stdout
    assert "/interval: 61 then, 60 now" in other.stdout
    told = json.loads(RUN.invoke(app, ["ocpp", "replay", str(file), "--json"]).stdout)
    assert [step["what"] for step in told if step["differs"]] == ["BootNotification"]


def test_replay_of_what_is_no_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    assert RUN.invoke(app, ["ocpp", "replay", str(file)]).exit_code == 3
    file.write_text("{}\n")
    refused = RUN.invoke(app, ["ocpp", "replay", str(file)])
    assert refused.exit_code == 3
    assert "no trace saved by" in refused.stderr
