"""The file of a capture: what it keeps, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, GridyardError, ProtocolError, TransientError
from site_agent.devices.commissioning import capture as captures
from site_agent.devices.commissioning.capture import Capture, Device, Function, Recorder
from site_agent.devices.commissioning.replay import Lookup
from site_agent.devices.modbus.replies import ModbusRefusedError

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    block = {"function": 3, "address": 40000, "words": "5375 6E53"}
    refusal = {"function": 3, "address": 0, "count": 2, "exception": 2}
    whole = {
        "gridyard_capture": 1,
        "taken_at": "2026-01-05T12:00:00Z",
        "device": {"manufacturer": "Acme"},
        "units": [{"unit": 1, "blocks": [block], "refused": [refusal]}],
    }
    return whole | changes


def block(**changes: Any) -> list[dict[str, Any]]:
    one = {"function": 3, "address": 0, "words": "0001 0002"} | changes
    return [{"unit": 1, "blocks": [one]}]


def test_a_capture_says_what_the_device_said() -> None:
    capture = captures.loads(json.dumps(document()))
    lookup = Lookup(capture)
    assert lookup.read(1, 3, 40000, 2) == (0x5375, 0x6E53)
    assert capture.taken_at == AT
    assert capture.device.manufacturer == "Acme"
    for address, count in ((0, 2), (1, 1), (40001, 2)):
        with pytest.raises(ModbusRefusedError) as refused:
            lookup.read(1, 3, address, count)
        assert refused.value.code == 2
    with pytest.raises(TransientError):
        lookup.read(2, 3, 40000, 2)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"gridyard_capture": 2}, "gridyard_capture"),
        ({"taken_at": "2026-01-05T12:00:00"}, "taken_at"),
        ({"host": "192.0.2.1"}, "host"),
        ({"units": []}, "units"),
        ({"units": block() + block()}, "twice"),
        ({"units": block(address=65535)}, "65535"),
        ({"units": block(address="0")}, "address"),
        ({"units": block(function=16)}, "function"),
        ({"units": block(function=1)}, "bit"),
        ({"units": block(words="1 2")}, "words"),
        ({"units": block(words=" ".join(["0000"] * 126))}, "words"),
        ({"units": block(words="0001\n")}, "words"),
        ({"source": "x" * 501}, "source"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_place(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ProtocolError, match=word):
        captures.loads(json.dumps(document(**changes)))


def test_a_register_stands_in_one_block() -> None:
    blocks = [{"function": 3, "address": at, "words": "0001 0002"} for at in (10, 11)]
    with pytest.raises(ProtocolError, match="register 11"):
        captures.loads(json.dumps(document(units=[{"unit": 1, "blocks": blocks}])))


@pytest.mark.parametrize(
    "data", [b"", b"[" * 100_000, b"\xff\xfe", b"{}", b"null", b'{"units":1e999}']
)
def test_junk_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        captures.loads(data)


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(captures.MAX_BYTES + 1)
    with pytest.raises(ProtocolError, match="larger"):
        captures.load(path)
    with pytest.raises(ConfigError, match="nowhere"):
        captures.load(tmp_path / "nowhere.json")


def recorded(**device: str) -> Capture:
    recorder = Recorder()
    recorder.read(1, 3, 100, [0x4142, 0x4331, 0x3233, 0])
    recorder.read(1, 4, 0, [7, 8])
    recorder.read(1, 4, 1, [9])
    recorder.refused(2, 3, 0, 1, 4)
    return recorder.capture(AT, device=Device(**device))


def test_what_was_recorded_can_be_read_again() -> None:
    again = captures.loads(captures.dumps(recorded(serial="ABC123")))
    assert again == recorded(serial="ABC123")
    assert Lookup(again).read(1, 4, 0, 2) == (7, 9)
    with pytest.raises(ModbusRefusedError) as refused:
        Lookup(again).read(2, 3, 0, 1)
    assert refused.value.code == 4


def test_serial_numbers_are_masked_where_they_are_known_and_where_they_are_found() -> None:
    masked = captures.without_serials(recorded(serial="BC123"), spans=[(1, 4, 0, 1)])
    assert masked.device.serial == "XXXXX"
    lookup = Lookup(masked)
    assert lookup.read(1, 3, 100, 4) == (0x4158, 0x5858, 0x5858, 0)
    assert lookup.read(1, 4, 0, 2) == (0x5858, 9)
    assert "BC123" not in captures.dumps(masked)


def test_a_serial_number_may_go_over_the_border_of_two_blocks() -> None:
    recorder = Recorder()
    recorder.read(1, 3, 0, [0] * 124 + [0x4142, 0x4344, 0x4546])
    capture = recorder.capture(AT, device=Device())
    assert len(capture.units[0].blocks) == 2
    masked = captures.without_serials(capture, ["ABCDE", "0"])
    assert Lookup(masked).read(1, 3, 123, 4) == (0, 0x5858, 0x5858, 0x5846)


def test_refusals_are_told_once() -> None:
    recorder = Recorder()
    for address, count in ((0, 4), (0, 2), (0, 1), (2, 2), (2, 1), (3, 1), (10, 2)):
        recorder.refused(1, 3, address, count, 2)
    recorder.refused(1, 3, 12, 1, 3)
    recorder.read(1, 3, 1, [5])
    refused = recorder.capture(AT, device=Device()).units[0].refused
    assert [(one.address, one.count, one.exception) for one in refused] == [
        (0, 1, 2),
        (2, 2, 2),
        (10, 2, 2),
        (12, 1, 3),
    ]


def test_nothing_recorded_is_no_capture() -> None:
    with pytest.raises(ProtocolError):
        Recorder().capture(AT, device=Device())


WORDS = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125)
FUNCTIONS: st.SearchStrategy[Function] = st.sampled_from([3, 4])


@given(
    st.lists(st.tuples(st.integers(0, 255), FUNCTIONS, st.integers(0, 65000), WORDS), max_size=8)
)
def test_every_recording_survives_its_file(
    reads: list[tuple[int, Function, int, list[int]]],
) -> None:
    recorder = Recorder()
    newest: dict[tuple[int, int, int], int] = {}
    for unit, function, address, words in reads:
        recorder.read(unit, function, address, words)
        newest |= {(unit, function, at): word for at, word in enumerate(words, address)}
    if not reads:
        return
    lookup = Lookup(captures.loads(captures.dumps(recorder.capture(AT, device=Device()))))
    for place, word in newest.items():
        assert lookup.read(*place, 1) == (word,)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(GridyardError):
        captures.loads(data)
