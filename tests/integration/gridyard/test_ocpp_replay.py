"""Recorded chargers played again: what was answered then must be answered now.

The recordings in tests/support/traces are of simulated chargers: connected, set up, a vehicle
plugged in, charged and stopped. Where a change of ours is meant to answer otherwise, record them
again (docs/how-to/put-a-charger-into-service.md, "A trace becomes a test").
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.errors import LinkDownError
from gridyard.ocpp.replay import access, document, lines, read, replayed
from site_agent.devices.ocpp.operate import player
from site_agent.devices.ocpp.operate.player import Step
from support.ocpp_depot import depot
from support.ports import free_port

TRACES = Path(__file__).parents[2] / "support" / "traces"


def altered(folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """A recording with one frame changed: the first that `change` changes."""
    lines, done = [], False
    for line in (TRACES / name).read_text().splitlines():
        changed = line if done else change(line)
        done = done or changed != line
        lines.append(changed)
    assert done, "nothing to change"
    path = folder / "altered.jsonl"
    path.write_text("\n".join(lines))
    return path


async def steps(path: Path, against: str | None = None) -> list[Step]:
    recording = read(path)
    return await replayed(recording, access(None, recording), against)


def differing(found: list[Step]) -> dict[str, tuple[str, ...]]:
    return {step.what: step.differs for step in found if step.differs}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cp-1.jsonl", {"BootNotification", "StartTransaction", "MeterValues", "StopTransaction"}),
        ("cp-2.jsonl", {"BootNotification", "TransactionEvent", "StatusNotification"}),
    ],
)
async def test_recorded_chargers_are_answered_as_they_were(name: str, said: set[str]) -> None:
    found = await steps(TRACES / name)
    assert not differing(found)
    assert said <= {step.what for step in found if step.at is not None}
    assert "SetChargingProfile" in {step.what for step in found if step.at is None}
    assert list(lines(found, every=False)) == [f"{len(found)} steps, 0 differ"]
    assert len(list(lines(found, every=True))) == len(found) + 1
    assert json.loads(json.dumps(document(found)))[0]["what"]


async def test_another_answer_is_named(tmp_path: Path) -> None:
    path = altered(
        tmp_path, "cp-1.jsonl", lambda line: line.replace('\\"interval\\":60', '\\"interval\\":61')
    )
    assert differing(await steps(path)) == {"BootNotification": ("/interval: 61 then, 60 now",)}


async def test_another_request_of_ours_is_named(tmp_path: Path) -> None:
    path = altered(
        tmp_path, "cp-1.jsonl", lambda line: line.replace('\\"limit\\":6.0', '\\"limit\\":7.0')
    )
    ((what, (where,)),) = differing(await steps(path)).items()
    assert what == "SetChargingProfile"
    assert where.endswith("/limit: 7.0 then, 6.0 now")


async def test_what_is_asked_only_then_or_only_now_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "_ASKED_S", 0.5)
    path = tmp_path / "altered.jsonl"
    recorded = (TRACES / "cp-1.jsonl").read_text()
    path.write_text(recorded.replace('\\"TriggerMessage\\"', '\\"SendLocalList\\"'))
    assert differing(await steps(path)) == {
        "TriggerMessage": ("is asked now, was not then",),
        "SendLocalList": ("was asked then, is not now",),
    }


async def test_nonsense_in_a_recording_is_played_too(tmp_path: Path) -> None:
    def spoil(line: str) -> str:
        if '\\"MeterValues\\"' not in line or '"direction": "in"' not in line:
            return line
        frame = json.loads(line)
        return json.dumps(frame | {"text": frame["text"][:40]})

    found = await steps(altered(tmp_path, "cp-1.jsonl", spoil))
    assert [step.note for step in found if step.what == "(unreadable)"] == ["sent as it was"]
    assert not differing(found)


async def test_another_central_system_can_be_asked() -> None:
    recording = read(TRACES / "cp-1.jsonl")
    rules = access(None, recording)
    async with depot(recording.station, access=rules, timing=recording.timing) as site:
        found = await replayed(recording, rules, site.url("").rstrip("/"))
        assert site.counts("CP-1").keys() <= {"sample told late", "sample of no believable time"}
    assert not differing(found)


async def test_nobody_at_the_address() -> None:
    with pytest.raises(LinkDownError, match=r"ws://127"):
        await steps(TRACES / "cp-1.jsonl", f"ws://127.0.0.1:{free_port()}")
