from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.versions.samples import Sample, read_v16, read_v201

AT = "2026-01-05T12:00:00Z"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
P, E, C = "Power.Active.Import", "Energy.Active.Import.Register", "Current.Import"


def one16(*values: dict[str, Any]) -> tuple[Sample, int]:
    [sample], bad = read_v16({"meterValue": [{"timestamp": AT, "sampledValue": list(values)}]})
    return sample, bad


def one201(*values: dict[str, Any]) -> tuple[Sample, int]:
    [sample], bad = read_v201({"meterValue": [{"timestamp": AT, "sampledValue": list(values)}]})
    return sample, bad


TABLE = [
    # name, sampled values, field, value
    ("default is the register in Wh", [{"value": "1234"}], "register_wh", 1234),
    ("kWh", [{"value": "0.45024000000000003", "unit": "kWh"}], "register_wh", 450.24),
    ("register per phase", [{"value": "1", "unit": "kWh", "phase": f"L{n}"} for n in (1, 2, 3)],
     "register_wh", 3000),
    ("total goes before phases", [{"value": "9", "measurand": P, "phase": "L1"},
     {"value": "7", "measurand": P}], "power_w", 7),
    ("power per phase", [{"value": "2.3", "measurand": P, "unit": "kW", "phase": f"L{n}-N"}
     for n in (1, 2, 3)], "power_w", 6900),
    ("discharging is negative", [{"value": "5", "measurand": "Power.Active.Export", "unit": "kW"},
     {"value": "0", "measurand": P}], "power_w", -5000),
    ("most loaded phase", [{"value": v, "measurand": C, "phase": p}
     for v, p in (("9.9", "L1"), ("10.4", "L2"), ("0", "L3"), ("15", "N"))], "current_a", 10.4),
    ("a number for a string", [{"value": 7, "measurand": P}], "power_w", 7),
    ("state of charge", [{"value": "41", "measurand": "SoC", "location": "EV"}], "soc_pct", 41),
    ("impossible state of charge", [{"value": "255", "measurand": "SoC"}], "soc_pct", None),
    ("not at the outlet", [{"value": "7", "measurand": P, "location": "EV"}], "power_w", None),
    ("line to line", [{"value": "7", "measurand": C, "phase": "L1-L2"}], "current_a", None),
    ("offered is not drawn", [{"value": "32", "measurand": "Current.Offered"}], "current_a", None),
    ("vendor key", [{"value": "7", "measurand": P, "x": {}}], "power_w", 7),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "values", "field", "expected"), TABLE, ids=lambda v: str(v)[:30])
def test_16(_name: str, values: list[dict[str, Any]], field: str, expected: float | None) -> None:
    sample, bad = one16(*values)
    assert bad == 0
    assert getattr(sample, field) == pytest.approx(expected)
    assert sample.at == NOON


BAD = [
    {"value": "7", "measurand": P, "unit": "Hz"},
    {"value": "", "measurand": P},
    {"value": "nan", "measurand": P},
    {"value": "1e999", "measurand": P},
    {"value": None, "measurand": P},
    {"measurand": P},
    {"value": "AQID", "measurand": P, "format": "SignedData"},
    "text",
    None,
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_value_is_counted_and_the_others_kept(bad: Any) -> None:
    sample, count = one16({"value": "100"}, bad, {"value": "10", "measurand": C})
    assert (sample.register_wh, sample.current_a, sample.power_w, count) == (100, 10, None, 1)


def test_201_units_and_multipliers() -> None:
    sample, bad = one201(
        {"value": 1.5, "unitOfMeasure": {"unit": "kWh"}},
        {"value": 69, "measurand": P, "unitOfMeasure": {"unit": "W", "multiplier": 2}},
        {"value": 10, "measurand": C, "phase": "L1"},
        {"value": 1, "measurand": C, "phase": "L2", "unitOfMeasure": {"multiplier": 99}},
        {"value": "12", "measurand": C, "phase": "L3"},
    )
    assert (sample.register_wh, sample.power_w, sample.current_a) == (1500, 6900, 10)
    assert bad == 2


def test_samples_come_in_the_order_they_were_taken() -> None:
    stamps = ["2026-01-05T12:00:20Z", "2026-01-05T12:00:00Z", "broken", "2026-01-05T13:00:10+01:00"]
    entries = [{"timestamp": stamp, "sampledValue": [{"value": "1"}]} for stamp in stamps]
    samples, bad = read_v16({"meterValue": entries})
    assert [sample.at.second for sample in samples] == [0, 10, 20]
    assert bad == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["timestamp", "sampledValue", "value", "measurand", "phase", "unit",
                         "unitOfMeasure", "multiplier", "location", "format"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_nothing_makes_the_reader_fail(nonsense: Any) -> None:
    for read in (read_v16, read_v201):
        samples, bad = read({"meterValue": [nonsense, {"timestamp": AT, "sampledValue": nonsense}]})
        assert bad >= 0
        assert all(sample.at.tzinfo is not None for sample in samples)
