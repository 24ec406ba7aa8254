"""Files that are dropped into a folder: whole ones are taken, all are put aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import PermanentError
from site_agent.fleet.commands import packed, unpacked
from site_agent.fleet.files.folder import DropFolder
from site_agent.fleet.files.table import MAX_BYTES
from site_agent.flows.fleet.roster import LiveRoster
from support.fleet import ZONE, live_roster
from support.manual_clock import ManualClock


def drop_folder(folder: Path) -> tuple[DropFolder, LiveRoster]:
    roster = live_roster()
    return DropFolder(folder, roster, ZONE, ManualClock()), roster


def aside(folder: Path, name: str) -> list[str]:
    return sorted(one.name.partition("-")[2] for one in (folder / name).glob("*"))


async def test_a_file_is_taken_once_it_has_stayed_the_same(tmp_path: Path) -> None:
    drops, roster = drop_folder(tmp_path)
    path = tmp_path / "fleet.CSV"
    path.write_text("vehicle_id,rank\nvan-1,4\n")
    await drops.look()
    path.write_text("vehicle_id,rank\nvan-1,4\nbus,5\n")  # it was still being written
    await drops.look()
    assert roster.ids() == ["van-1"]
    await drops.look()
    assert (roster.ids(), roster.vehicles["van-1"].rank) == (["bus", "van-1"], 4)
    assert not path.exists()
    assert aside(tmp_path, "done") == ["fleet.CSV"]


async def test_a_bad_file_is_put_aside_with_its_faults_and_the_next_is_taken(
    tmp_path: Path,
) -> None:
    drops, roster = drop_folder(tmp_path)
    (tmp_path / "bad.csv").write_text("vehicle_id,rank\nbus,x\n")
    (tmp_path / "good.csv").write_text("vehicle_id,rank\nvan-1,4\n")
    (tmp_path / "notes.txt").write_text("not a file of ours")
    (tmp_path / "link.csv").symlink_to(tmp_path / "notes.txt")
    for _ in range(3):
        await drops.look()
    assert (roster.ids(), roster.vehicles["van-1"].rank) == (["van-1"], 4)
    assert aside(tmp_path, "failed") == ["bad.csv", "bad.csv.txt"]
    (told,) = (tmp_path / "failed").glob("*.txt")
    assert told.read_text() == "line 2, rank: 'x' is no number\n"
    assert (tmp_path / "notes.txt").exists()


async def test_a_folder_that_is_missing_is_no_crash(tmp_path: Path) -> None:
    drops, _ = drop_folder(tmp_path / "none")
    with pytest.raises(OSError, match="none"):
        await drops.look()


def test_a_file_is_packed_for_the_console_and_bombs_are_refused() -> None:
    assert unpacked(packed(b"a,b\n1,2\n")) == b"a,b\n1,2\n"
    with pytest.raises(PermanentError, match="larger"):
        unpacked(packed(b"0" * (MAX_BYTES + 1)))
    with pytest.raises(PermanentError, match="cannot be unpacked"):
        unpacked("nonsense")
