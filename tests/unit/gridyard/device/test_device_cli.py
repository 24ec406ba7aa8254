"""The words of `gridyard device` on the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contracts.errors import ConfigError
from gridyard.cli import app
from gridyard.device.target import numbers, place
from site_agent.devices.commissioning import looks
from site_agent.devices.commissioning.capture import Capture, Device, Recorder, load
from site_agent.devices.commissioning.replay import Lookup
from site_agent.devices.writer import sole_writer
from support.console_door import scripted_door
from support.ports import free_port
from support.replayed import replayed
from support.sunspec_image import common, image, model

RUN = CliRunner()
ROOT = Path(__file__).parents[4]
EM540 = ROOT / "tests" / "captures" / "carlo-gavazzi.em540.json"
SITE = """
site_id: s
data: {data}
contract_limit_w: 50000
max_building_w: 0
circuit: {{limit_a: 100}}
meter: {{kind: profile, profile: carlo-gavazzi.em540, host: 127.0.0.1, port: {port}}}
batteries:
  - {{id: bess, kind: sunspec, host: 127.0.0.1, port: {port}, unit: 9, capacity_wh: 60000,
     max_charge_w: 30000, max_discharge_w: 30000, timeout_s: 1.0}}
"""


def run(*words: object, stdin: str | None = None) -> Result:
    return RUN.invoke(app, ["device", *map(str, words)], input=stdin)


def inverter() -> Capture:
    recorder = Recorder()
    words = image(common(), model(103, W=1234, W_SF=0, St=4, A=20), model(121, WMax=30000))
    for address, word in words.items():
        recorder.read(1, 3, address, [word])
    return recorder.capture(datetime(2026, 1, 5, tzinfo=UTC), device=Device())


# --- where ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("meter.example:1502", "meter.example", 1502),
        ("[2001:db8::1]:502", "2001:db8::1", 502),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("2001:db8::1", "2001:db8::1", None),
    ],
)
def test_a_place_is_a_host_and_perhaps_a_port(where: str, host: str, port: int | None) -> None:
    there = place(where)
    assert (there.host, there.port) == (host, port)


@pytest.mark.parametrize(
    "where", ["h:", "h:0", "h:65536", "h:x", "[::1", "[::1]x", "", "h:99999999999999999999"]
)
def test_what_is_no_place_is_refused(where: str) -> None:
    with pytest.raises(ConfigError):
        place(where)


def test_numbers_and_ranges() -> None:
    assert numbers("1-3, 7,2", highest=255, most=10) == (1, 2, 3, 7)
    for wrong in ("", "x", "3-1", "256", "1-", "-1", "1-5,6-11", "٣", "1-999999"):
        with pytest.raises(ConfigError):
            numbers(wrong, highest=255, most=10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["probe"], "either host or serial"),
        (["probe", "h", "--serial", "/dev/ttyUSB0"], "either host or serial"),
        (["probe", "a..b"], "no host name"),
        (["probe", "x" * 70], "no host name"),
        (["probe", "h", "--framing", "udp"], "framing"),
        (["probe", "h", "--timeout", "0"], "timeout"),
        (["probe", "h", "--cert", "c.pem"], "tls"),
        (["probe", "h", "--units", "300"], "at most 255"),
        (["probe", "--serial", "/dev/ttyUSB0", "--units", "0"], "1 to 247"),
        (["probe", "h", "--profile", "nobody.nothing"], "no profile"),
        (["capture", "h", "-o", "x.json", "--read", "6:1"], "function code 1 to 4"),
        (["capture", "h", "-o", "x.json", "--read", "3:1-70000"], "at most 65535"),
        (["capture", "h", "-o", "no/where/x.json"], "no such folder"),
        (["replay", "no-such-file.json"], "no-such-file.json"),
        (["check", "no-such-file.yaml"], "no-such-file.yaml"),
    ],
)
def test_wrong_words_are_a_plain_mistake(words: list[str], said: str) -> None:
    told = run(*words)
    assert told.exit_code == 3, told.output
    assert said in told.stderr
    assert "Traceback" not in told.output


# --- probe and capture ----------------------------------------------------------------------------


def test_probe_shows_who_is_there_and_its_settings() -> None:
    with replayed(inverter()) as port:
        shown = run("probe", f"127.0.0.1:{port}", "--units", "1", "--timeout", 5)
        told = run("probe", f"127.0.0.1:{port}", "--units", "1", "--timeout", 5, "--json")
    assert shown.exit_code == 0, shown.stderr
    assert "unit 1: Acme One, serial 0001 (SunSpec, pv)" in shown.stdout
    assert "103 Inverter (Three Phase) at 40070" in shown.stdout
    assert "more without a value: --all" in shown.stdout
    assert "  rated_w:  # not told by the device" in shown.stdout  # its maximum has no scale
    (device,) = json.loads(told.stdout)
    assert device["nature"] == "pv"
    assert device["identity"]["model"] == "One"
    points = {one["name"]: one for group in device["groups"] for one in group["points"]}
    assert points["W"]["value"] == 1234
    assert "scale factor" in points["WMax"]["why"]


def test_probe_says_why_nobody_is_there() -> None:
    told = run("probe", f"127.0.0.1:{free_port()}", "--units", "1")
    assert told.exit_code == 1
    assert "refuses connections" in told.stderr
    assert "->" in told.stderr


def test_probe_of_a_stranger_says_what_to_do() -> None:
    recorder = Recorder()
    recorder.read(1, 3, 0, [1, 2])
    stranger = recorder.capture(datetime(2026, 1, 5, tzinfo=UTC), device=Device())
    with replayed(stranger) as port:
        told = run("probe", f"127.0.0.1:{port}", "--units", "1", "--timeout", 5)
    assert told.exit_code == 1
    assert "add-a-device-profile" in told.stderr


def test_a_capture_can_be_taken_of_a_capture(tmp_path: Path) -> None:
    out, whole = tmp_path / "out.json", tmp_path / "whole.json"
    with replayed(inverter()) as port:
        where = f"127.0.0.1:{port}"
        taken = run("capture", where, "-o", out, "--timeout", 5, "--note", "on the roof")
        kept = run("capture", where, "-o", whole, "--timeout", 5, "--keep-serials")
        again = run("capture", where, "-o", out, "--timeout", 5)
    assert taken.exit_code == kept.exit_code == 0, taken.stderr
    assert again.exit_code == 3
    assert "not overwritten" in again.stderr
    capture = load(out)
    assert (capture.source, capture.device.manufacturer) == ("on the roof", "Acme")
    assert capture.device.serial == "XXXX"
    assert "replaced by X" in taken.stdout
    serial = Lookup(inverter()).read(1, 3, 40052, 2)
    assert Lookup(capture).read(1, 3, 40052, 2) == (0x5858, 0x5858)
    assert Lookup(load(whole)).read(1, 3, 40052, 2) == serial


def test_registers_nobody_names_are_read_one_by_one_where_a_block_is_refused(
    tmp_path: Path,
) -> None:
    recorder = Recorder()
    recorder.read(1, 4, 10, [7, 8])
    recorder.read(1, 4, 20, [9])
    known = recorder.capture(datetime(2026, 1, 5, tzinfo=UTC), device=Device())
    out = tmp_path / "out.json"
    with replayed(known) as port:
        where = f"127.0.0.1:{port}"
        told = run("capture", where, "-o", out, "--timeout", 5, "--read", "4:5-25,30")
    assert told.exit_code == 0, told.stderr
    lookup = Lookup(load(out))
    assert lookup.read(1, 4, 10, 2) == (7, 8)
    assert lookup.read(1, 4, 20, 1) == (9,)
    refused = {one.address: one.count for one in load(out).units[0].refused if one.function == 4}
    assert refused == {5: 5, 12: 8, 21: 5, 30: 1}


def test_replay_serves_until_it_is_stopped() -> None:
    program = [sys.executable, "-m", "gridyard", "device", "replay", str(EM540)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        where = told.split(" answers at ")[1].split(",")[0]
        seen = run("watch", where, "--count", 1, "--json", "--timeout", 5)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert seen.exit_code == 0, seen.stderr
    values = {one["name"]: one["value"] for one in json.loads(seen.stdout)["points"]}
    assert values["active_power"] == pytest.approx(-446.6)


# --- watch ----------------------------------------------------------------------------------------


def test_watch_shows_what_is_measured_with_its_age() -> None:
    with replayed(inverter()) as port:
        where = f"127.0.0.1:{port}"
        shown = run("watch", where, "--count", 2, "--every", 0.1, "--only", "W", "--timeout", 5)
    assert shown.exit_code == 0, shown.stderr
    lines = [line for line in shown.stdout.splitlines() if line.strip().startswith("W ")]
    assert len(lines) == 2
    assert "1234 W     good" in lines[0]
    assert "s ago" in lines[0]
    assert "WMax" not in shown.stdout


def test_watch_of_a_site_speaks_the_agents_names(tmp_path: Path) -> None:
    with replayed(load(EM540)) as port:
        site = tmp_path / "site.yaml"
        site.write_text(SITE.format(data=tmp_path / "data", port=port))
        shown = run("watch", "--site", site, "--device", "meter", "--count", 6, "--every", 0.5)
        wrong = run("watch", "--site", site, "--device", "garage")
    assert shown.exit_code == 0, shown.stderr
    assert "active_power                   -446.6 W     good" in shown.stdout
    assert wrong.exit_code == 3
    assert "there are meter, bess" in wrong.stderr


def test_watch_of_a_site_asks_its_agent_while_one_runs(tmp_path: Path) -> None:
    site, data = tmp_path / "site.yaml", tmp_path / "data"
    data.mkdir()
    site.write_text(
        SITE.format(data=data, port=free_port())
    )  # nobody is there: only the agent tells
    row = {"device": "meter", "name": "active_power", "value": 12.5, "unit": "W", "meaning": "",
           "quality": "stale", "at": "2026-01-05T12:00:00+00:00"}  # fmt: skip
    item = {"at": "2026-01-05T12:00:04+00:00", "rows": [row]}
    words = ["watch", "--site", site, "--device", "meter", "--count", 2, "--every", 0.5]
    with scripted_door(data, {"device.watch": [item, item]}, prefix="") as asked:
        shown = run(*words)
    with scripted_door(data, {"device.watch": [{"at": "noon"}]}, prefix=""):
        junk = run(*words)
    assert asked == [("device.watch", {"every_s": 0.5, "device": "meter"})]
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.count("12.5 W     stale     12:00:00    4.0 s ago") == 2
    assert junk.exit_code == 1
    assert "the agent tells something else" in junk.stderr


# --- check ----------------------------------------------------------------------------------------


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "WATCH_S", 2.0)


@pytest.mark.usefixtures("brief")
def test_check_tells_line_by_line_and_its_exit_code(tmp_path: Path) -> None:
    with replayed(load(EM540)) as port:
        site = tmp_path / "site.yaml"
        site.write_text(SITE.format(data=tmp_path / "data", port=port))
        meter = run("check", site, "meter")
        told = run("check", site, "bess", "--write", "--json", stdin="no\n")
    assert meter.exit_code == 0, meter.output
    assert "ok    meter        identity: Carlo Gavazzi EM530 or EM540" in meter.stdout
    assert "warn  meter        moves: always -446.6 W" in meter.stdout
    assert "-> real power flickers" in meter.stdout
    assert told.exit_code == 1  # nobody is unit 9
    assert "Type bess to go on" in told.stderr
    (line,) = json.loads(told.stdout[told.stdout.index("[") :])  # after what was typed
    assert (line["device"], line["step"], line["verdict"]) == ("bess", "reach", "fail")


def test_a_check_ends_in_order(tmp_path: Path) -> None:
    orders = (signal.SIGTERM, signal.SIGHUP)
    with replayed(load(EM540)) as port:
        checks = [checking(tmp_path / order.name, port) for order in orders]
        for check, order in zip(checks, orders, strict=True):
            with check:
                assert check.stdout is not None
                assert "reach" in check.stdout.readline()
                check.send_signal(order)
                told = check.communicate(timeout=60)[1]
            assert check.returncode == 1, "it has not just died"
            assert "broken off" in told


def checking(folder: Path, port: int) -> subprocess.Popen[str]:
    folder.mkdir()
    site = folder / "site.yaml"
    site.write_text(SITE.format(data=folder / "data", port=port).split("batteries:")[0])
    program = [sys.executable, "-m", "gridyard", "device", "check", str(site), "meter"]
    return subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.mark.row("truth:L4")
def test_check_refuses_while_an_agent_runs(tmp_path: Path) -> None:
    site, data = tmp_path / "site.yaml", tmp_path / "data"
    data.mkdir()
    site.write_text(SITE.format(data=data, port=free_port()))
    with sole_writer(data, []):
        told = run("check", site, "meter")
    assert told.exit_code == 3
    assert "in use by process" in told.stderr


def test_check_of_a_device_nobody_has(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    text = SITE.format(data=tmp_path / "data", port=5020)
    site.write_text(text)
    told = run("check", site, "garage")
    assert told.exit_code == 3
    assert "there are meter, bess" in told.stderr
