"""A device has one writer on a machine, whatever program it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.devices.writer import sole_writer, written

DEVICE = f"198.51.100.7:{os.getpid()}/1"  # of this test run alone
HOLD = """
import sys
from pathlib import Path
from site_agent.devices.writer import sole_writer
with sole_writer(Path(sys.argv[1]), [sys.argv[2]]):
    print("held", flush=True)
    sys.stdin.read()
"""
SITE = """
site_id: s
data: ./data
contract_limit_w: 50000
max_building_w: 0
circuit: {limit_a: 100}
meter: {host: 192.0.2.10}
batteries:
  - {id: b1, kind: sunspec, host: 192.0.2.20, unit: 3, capacity_wh: 1, max_charge_w: 1,
     max_discharge_w: 1}
  - {id: b2, kind: mqtt, capacity_wh: 1, max_charge_w: 1, max_discharge_w: 1}
pv:
  - {id: p, serial: {device: /dev/ttyUSB0}, rated_w: 1}
  - {id: q, kind: profile, profile: sma.tripower, host: 192.0.2.30, rated_w: 1}
"""


def test_what_is_written_to_is_named_by_its_place() -> None:
    settings = loads(SITE, SiteSettings, name="site")
    assert written(settings) == {"192.0.2.20:502/3", "/dev/ttyUSB0/1", "192.0.2.30:502/3"}


@pytest.mark.row("truth:L4")
def test_a_second_program_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, one, DEVICE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(ConfigError, match=rf"{one}: in use by process {holder.pid}"),
            sole_writer(one, []),
        ):
            pass
        for _ in range(5):  # a supervisor starts it again and again
            with (
                pytest.raises(ConfigError, match=rf"{DEVICE}: process {holder.pid} .*one writer"),
                sole_writer(other, ["192.0.2.1:502/1", DEVICE]),
            ):
                pass
        with sole_writer(other, ["192.0.2.1:502/1"]):  # nothing was kept by the failure
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)
    for _ in range(2):  # what is let go can be held again
        with sole_writer(one, [DEVICE]):
            pass


def test_a_folder_that_is_not_there_is_a_plain_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"), sole_writer(tmp_path / "nowhere", []):
        pass
