"""DBC files: strict, bounded, and what the widespread battery frames mean."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, ProtocolError
from site_agent.devices.can.database import MAX_BYTES, SignalDatabase

BATTERY = SignalDatabase.load()


def decode(number: int, data: str) -> dict[str, float]:
    found = BATTERY.decode((number, False), bytes.fromhex(data))
    return {name.partition(".")[2]: value for name, value in found.items()}


@pytest.mark.row("trap:B3")
def test_frames_seen_on_two_generations_of_batteries() -> None:
    """Bytes: setfirelabs.com/energy-monitoring/pylontech-battery-can-comms-v1-2-vs-v1-3."""
    assert decode(0x351, "1402C012C012C201") == pytest.approx(
        {
            "charge_voltage": 53.2,
            "charge_current": 480,
            "discharge_current": 480,
            "discharge_voltage": 45,
        }
    )
    assert decode(0x355, "58005E00") == {"soc": 88, "soh": 94}
    assert decode(0x355, "540060000000") == {"soc": 84, "soh": 96, "soc_fine": 0}
    assert decode(0x356, "7A13F2FE6B01") == pytest.approx(
        {"voltage": 49.86, "current": -27, "temperature": 36.3}
    )
    assert decode(0x359, "0000000006504E") == {"protections": 0, "warnings": 0, "modules": 6}
    assert decode(0x35C, "C000") == {"force_charge": 0, "discharge_enable": 1, "charge_enable": 1}


def test_an_unknown_or_empty_frame() -> None:
    with pytest.raises(ProtocolError, match="not known"):
        BATTERY.decode((0x123, False), b"\x00")
    with pytest.raises(ProtocolError, match="not known"):
        BATTERY.decode((0x351, True), b"\x00")  # 29 bits
    assert decode(0x351, "") == {}


@pytest.mark.row("trap:B3")
@given(st.integers(0, 0x7FF), st.binary(max_size=64))
def test_random_frames_never_crash(number: int, data: bytes) -> None:
    for frame in (number, 0x351, 0x355, 0x356, 0x359, 0x35A, 0x35E):
        try:
            BATTERY.decode((frame, False), data)
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "not a database",
        # two signals in the same bits
        'VERSION ""\nBO_ 1 M: 8 X\n SG_ a : 0|8@1+ (1,0) [0|0] "" X\n'
        ' SG_ b : 4|8@1+ (1,0) [0|0] "" X\n',
        # a signal beyond the end of its message
        'VERSION ""\nBO_ 1 M: 1 X\n SG_ a : 0|16@1+ (1,0) [0|0] "" X\n',
        "BO_ " * 5000,
    ],
)
def test_what_is_no_sound_database_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.dbc"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a sound DBC"):
        SignalDatabase.load(path)


def test_a_huge_or_missing_file_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.dbc"
    huge.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        SignalDatabase.load(huge)
    with pytest.raises(ConfigError, match="cannot be read"):
        SignalDatabase.load(tmp_path / "none.dbc")
