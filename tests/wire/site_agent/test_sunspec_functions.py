"""Autonomous functions as registers, by hand from the tables of models 704 to 712.

Each model stands alone behind a common model of 66 registers, so that its header is at 40070. It
has one curve in force (1) and one to write (2), with room for three points.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Point,
    Reference,
)
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.store.memory import MemoryKeyValues
from support.fast_clock import FastClock
from support.modbus_link import linked
from support.sunspec_image import common, image, model
from support.sunspec_server import ImageServer, Write

HEADER = 40070
REQUEST = 3
"""Offset of AdptCrvReq and AdptCtlReq."""
COMPLETED = 1
TIMER = {"RvrtTms": 0, "RvrtRem": 0}
Raw = dict[str, Any]


def points(*names: str) -> list[Raw]:
    return [dict.fromkeys(names, 0) for _ in range(3)]


def two_curves(model_id: int, active: Raw, group: str = "Crv", /, **head: int) -> list[int]:
    """The model; what its definition calls curve 1 is read-only, curve 2 blank."""
    count = {"Crv": "NCrv", "Ctl": "NCtl"}[group]
    counts = {"NCrvSet" if 707 <= model_id <= 710 else count: 2}
    counts |= {} if group == "Ctl" else {"NPt": 3}
    requests = {f"Adpt{group}Req": 0, f"Adpt{group}Rslt": COMPLETED}
    curves = [active | {"ReadOnly": 1}, {"ReadOnly": 0}]
    raw: Raw = {"Ena": 0, **counts, **requests, group: curves, **head}
    return model(model_id, **raw)


def trips(model_id: int, axis: str, scale: str) -> list[int]:
    part = {"ActPt": 1, "Pt": points(axis, "Tms")}
    parts = dict.fromkeys(("MustTrip", "MayTrip", "MomCess"), part)
    return two_curves(model_id, parts, **{scale: -1, "Tms_SF": -2})


class Adopting(ImageServer):
    """Copies a curve when it is asked to, which the register image alone would not."""

    def adopts(self, *, first: int, size: int, read_only: int) -> Adopting:
        """Offset of curve 1 from the header, its registers, and which of them is ReadOnly."""
        start = HEADER + first

        def adopt(address: int, values: list[int]) -> None:
            if address != HEADER + REQUEST:
                return
            for offset in set(range(size)) - {read_only}:
                word = self.registers[start + (values[0] - 1) * size + offset]
                if word not in (0xFFFF, 0x8000):
                    self.registers[start + offset] = word

        self.on_write = adopt
        return self


def s16(value: int) -> int:
    return value % 0x10000


def u32(value: int) -> list[int]:
    return list(struct.unpack(">2H", struct.pack(">I", value)))


def volt(kind: CurveKind, *pairs: tuple[float, float], **options: Any) -> Curve:
    return Curve(kind=kind, points=tuple(Point(x=x, y=y) for x, y in pairs), **options)


async def written(server: ImageServer, function: InverterFunction) -> Sequence[Write]:
    """Everything written to hold the function, offsets from the header."""
    clock = FastClock(50.0)
    async with server.serving(), linked(server.port, timeout_s=2.0, clock=clock) as link:
        inverter = SunSpecFunctions(
            link, 1, device_id="roof", memory=MemoryKeyValues(), clock=clock
        )
        assert await inverter.hold([function]) == {}
    return [(address - HEADER, values) for address, values in server.writes]


async def test_volt_var_with_its_timer() -> None:
    active = {
        "ActPt": 2, "DeptRef": 1, "Pri": 1, "VRef": 1000, "VRefAuto": 1000, "VRefAutoEna": 0,
        "VRefAutoTms": 300, "RspTms": 50, "Pt": points("V", "Var"),
    }  # fmt: skip
    device = two_curves(705, active, V_SF=-1, DeptRef_SF=-1, RspTms_SF=-1, RvrtCrv=0, **TIMER)
    # Curve 1 begins at 15: ActPt, DeptRef, Pri, VRef, (VRefAuto), VRefAutoEna, VRefAutoTms,
    # RspTms (2), (ReadOnly), then V and Var of three points; curve 2 at 31.
    server = Adopting(image(common(), device)).adopts(first=15, size=16, read_only=9)
    asked = volt(
        CurveKind.VOLT_VAR, (95, 44), (105.5, -44.5), reference=Reference.MAX_W, response_s=10
    )
    assert await written(server, asked) == [
        (31, [2, 0, 1, 1000]),
        (36, [0, 300, *u32(100)]),
        (41, [950, 440, 1055, s16(-445), 0, 0]),
        (3, [2]),
        # what it falls back to when we die: flat, for it was off
        (32, [1]),
        (38, u32(50)),
        (41, [10, 0, 2000, 0]),
        (11, [2]),
        (7, u32(300)),
        (2, [1]),
    ]


async def test_volt_watt_without_a_timer() -> None:
    active = {"ActPt": 2, "DeptRef": 1, "RspTms": 50, "Pt": points("V", "W")}
    device = two_curves(706, active, V_SF=-1, DeptRef_SF=0, RspTms_SF=0)
    # Curve 1 at 15: ActPt, DeptRef, RspTms (2), (ReadOnly), V and W of three points; curve 2 at 26.
    server = Adopting(image(common(), device)).adopts(first=15, size=11, read_only=4)
    asked = volt(CurveKind.VOLT_WATT, (106, 100), (110, 0))
    assert await written(server, asked) == [
        (26, [2, 0, *u32(50)]),
        (31, [1060, 100, 1100, 0, 0, 0]),
        (3, [2]),
        (2, [1]),
    ]


async def test_watt_var() -> None:
    active = {"ActPt": 2, "DeptRef": 1, "Pri": 1, "Pt": points("W", "Var")}
    device = two_curves(712, active, W_SF=-1, DeptRef_SF=-1)
    # Curve 1 at 14: ActPt, DeptRef, Pri, (ReadOnly), W and Var of three points; curve 2 at 24.
    server = Adopting(image(common(), device)).adopts(first=14, size=10, read_only=3)
    asked = volt(CurveKind.WATT_VAR, (0, 0), (50, 0), (100, -30), reference=Reference.AVAILABLE_VAR)
    assert await written(server, asked) == [
        (24, [3, 2, 1]),
        (28, [0, 0, 500, 0, 1000, s16(-300)]),
        (3, [2]),
        (2, [1]),
    ]


@pytest.mark.parametrize(
    ("model_id", "kind", "part"),
    [
        (707, CurveKind.LV_MUST_TRIP, 0),
        (707, CurveKind.LV_MAY_TRIP, 1),
        (707, CurveKind.LV_MOMENTARY_CESSATION, 2),
        (708, CurveKind.HV_MUST_TRIP, 0),
        (708, CurveKind.HV_MAY_TRIP, 1),
        (708, CurveKind.HV_MOMENTARY_CESSATION, 2),
    ],
)
async def test_voltage_trips(model_id: int, kind: CurveKind, part: int) -> None:
    # Curve set 1 at 9: (ReadOnly), then three parts of ActPt and V, Tms (2) of three points;
    # curve set 2 at 40.
    device = trips(model_id, "V", "V_SF")
    server = Adopting(image(common(), device)).adopts(first=9, size=31, read_only=0)
    other = [1, *[0] * 9]
    parts = [other, other, other]
    parts[part] = [2, 500, *u32(16), 880, *u32(2100), 0, 0, 0]
    assert await written(server, volt(kind, (0.16, 50), (21, 88))) == [
        (41, [word for one in parts for word in one]),
        (3, [2]),
        (2, [1]),
    ]


@pytest.mark.parametrize(
    ("model_id", "kind", "part"),
    [
        (709, CurveKind.LF_MUST_TRIP, 0),
        (709, CurveKind.LF_MAY_TRIP, 1),
        (710, CurveKind.HF_MUST_TRIP, 0),
        (710, CurveKind.HF_MAY_TRIP, 1),
    ],
)
async def test_frequency_trips(model_id: int, kind: CurveKind, part: int) -> None:
    # As voltage trips, but Hz takes two registers: curve set 2 at 49.
    device = trips(model_id, "Hz", "Hz_SF")
    server = Adopting(image(common(), device)).adopts(first=9, size=40, read_only=0)
    other = [1, *[0] * 12]
    parts = [other, other, other]
    parts[part] = [1, *u32(518), *u32(16), *[0] * 8]
    assert await written(server, volt(kind, (0.16, 51.8))) == [
        (50, [word for one in parts for word in one]),
        (3, [2]),
        (2, [1]),
    ]


async def test_droop() -> None:
    active = {"DbOf": 36, "DbUf": 36, "KOf": 50, "KUf": 50, "RspTms": 5, "PMin": 0}
    device = two_curves(711, active, "Ctl", Db_SF=-3, K_SF=-3, RspTms_SF=0)
    # Control 1 at 14: DbOf (2), DbUf (2), KOf, KUf, RspTms (2), PMin, (ReadOnly); control 2 at 24.
    server = Adopting(image(common(), device)).adopts(first=14, size=10, read_only=9)
    asked = FrequencyDroop(
        over_dead_band_hz=0.02,
        under_dead_band_hz=0.03,
        over_slope=0.04,
        under_slope=0.06,
        response_s=2.0,
    )
    assert await written(server, asked) == [
        (24, [*u32(20), *u32(30), 40, 60, *u32(2), 0]),
        (3, [2]),
        (2, [1]),
    ]


def controls(**changes: Any) -> dict[int, int]:
    """Model 704 with every constant off, power factor 1, and all timers."""
    unity = {"PF": 1000, "Ext": 0}
    raw: Raw = dict.fromkeys(("PFWInj", "PFWInjRvrt", "PFWAbs", "PFWAbsRvrt"), unity)
    raw |= {"PF_SF": -3, "VarSet_SF": 1, "VarSetPct_SF": -1, "VarSetMod": 0}
    for name in ("PFWInj", "PFWAbs", "VarSet"):
        raw |= {f"{name}Ena": 0, f"{name}EnaRvrt": 1, f"{name}RvrtTms": 0}
    raw |= dict.fromkeys(("VarSet", "VarSetRvrt", "VarSetPct", "VarSetPctRvrt"), 0)
    return image(common(), model(704, **(raw | changes)))


@pytest.mark.parametrize(
    ("asked", "writes"),
    [
        pytest.param(
            FixedPowerFactor(power_factor=0.95, absorbs_var=True, while_="injecting"),
            [(59, [950, 1]), (3, [0]), (2, [1]), (4, u32(300))],
            id="power factor while injecting",
        ),
        pytest.param(
            FixedPowerFactor(power_factor=0.9, absorbs_var=False, while_="absorbing"),
            [(63, [900]), (9, [0]), (8, [1]), (10, u32(300))],
            id="power factor while absorbing",
        ),
        pytest.param(
            FixedVar(percent=-12.5, reference=Reference.MAX_VAR),
            [(36, [1]), (42, [s16(-125)]), (44, [0]), (35, [1]), (45, u32(300))],
            id="var in percent",
        ),
        pytest.param(
            FixedVar(var=-5000.0),
            [(36, [4]), (38, [0xFFFF, s16(-500)]), (44, [0]), (35, [1]), (45, u32(300))],
            id="var",
        ),
    ],
)
async def test_constants(asked: InverterFunction, writes: list[Write]) -> None:
    assert await written(ImageServer(controls()), asked) == writes
