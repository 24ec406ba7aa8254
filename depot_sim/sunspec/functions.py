"""Autonomous functions of a DER: constants of model 704 and the curves of 705 to 712.

Curve 1 of each model is in force and read-only. A number written to `AdptCrvReq` (711:
`AdptCtlReq`) is a request: the result says "in progress" for `adopts_after_s`, then the curve is
copied into curve 1 ("completed") or, where it makes no sense, is not ("failed"). `RvrtTms` starts
a timer when it is written; at its end the curve `RvrtCrv` is adopted, and `Ena` stays. The
constants' timers start with each write to their switch, and end by taking over the reversion values
and the switch `...EnaRvrt`.

The functions are settings only: the grid here is always at its nominal voltage and frequency.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from depot_sim.sunspec.image import Image, Value

ADOPTS_AFTER_S = 2.0
CURVES = 3
POINTS = 10
IN_PROGRESS, COMPLETED, FAILED = 0, 1, 2
_ON = 1

NAMES: Mapping[int, str] = {
    705: "volt_var",
    706: "volt_watt",
    707: "lv_trip",
    708: "hv_trip",
    709: "lf_trip",
    710: "hf_trip",
    711: "frequency_droop",
    712: "watt_var",
}
_TRIPS = range(707, 711)
_DROOP = 711
_CONSTANTS: Mapping[str, Mapping[str, str]] = {
    "VarSet": {"VarSet": "VarSetRvrt", "VarSetPct": "VarSetPctRvrt"},
    "PFWInj": {"PFWInj.PF": "PFWInjRvrt.PF", "PFWInj.Ext": "PFWInjRvrt.Ext"},
    "PFWAbs": {"PFWAbs.PF": "PFWAbsRvrt.PF", "PFWAbs.Ext": "PFWAbsRvrt.Ext"},
}
"""Prefixes of 704, with their values and what these revert to."""
_log = structlog.get_logger(__name__)


def constants() -> dict[str, Value]:
    """What 704 says of constants: all off, power factor 1."""
    points: dict[str, Value] = {"PF_SF": -3, "VarSet_SF": 0, "VarSetPct_SF": -1, "VarSetMod": 4}
    for prefix, values in _CONSTANTS.items():
        points |= {f"{prefix}{end}": 0 for end in ("Ena", "EnaRvrt", "RvrtTms", "RvrtRem")}
        for name in (*values, *values.values()):
            points[name] = 1.0 if name.endswith(".PF") else 0
    return points


def models() -> dict[int, dict[str, Value]]:
    """Models 705 to 712, all off but the trips, with one read-only curve and two spare ones."""
    return {
        705: _curves("NCrv", {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -1}, {
            "DeptRef": 1, "Pri": 1, "VRef": 100.0, "VRefAuto": 100.0, "VRefAutoEna": 0,
            "VRefAutoTms": 300, "RspTms": 5.0,
            **_points("", "V", "Var", ((92, 30), (98, 0), (102, 0), (108, -30))),
        }),
        706: _curves("NCrv", {"V_SF": -2, "DeptRef_SF": -1, "RspTms_SF": -1}, {
            "DeptRef": 0, "RspTms": 10.0, **_points("", "V", "W", ((106, 100), (110, 20))),
        }),
        707: _trips("V", {"V_SF": -2}, ((70, 2), (88, 21)), ((50, 1), (70, 1)), ((30, 1), (50, 1))),
        708: _trips("V", {"V_SF": -2}, ((120, 0.16), (110, 13)), ((110, 1),), ((115, 1),)),
        709: _trips("Hz", {"Hz_SF": -2}, ((47, 0.16), (48.5, 300)), ((48.5, 300),), ((47, 1),)),
        710: _trips("Hz", {"Hz_SF": -2}, ((52, 0.16), (51.2, 300)), ((51.2, 300),), ((52, 1),)),
        711: _curves("NCtl", {"Db_SF": -3, "K_SF": -3, "RspTms_SF": -1}, {
            "DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5.0,
        }),
        712: _curves("NCrv", {"W_SF": -1, "DeptRef_SF": -1}, {
            "DeptRef": 1, "Pri": 1, **_points("", "W", "Var", ((0, 0), (50, 0), (100, -44))),
        }),
    }  # fmt: skip


Pairs = tuple[tuple[float, float], ...]


def _points(within: str, x: str, y: str, pairs: Pairs) -> dict[str, Value]:
    points: dict[str, Value] = {f"{within}ActPt": len(pairs)}
    for number, (first, second) in enumerate(pairs, start=1):
        points[f"{within}Pt.{number}.{x}"] = first
        points[f"{within}Pt.{number}.{y}"] = second
    return points


def _curves(
    count: str, scales: Mapping[str, Value], active: Mapping[str, Value]
) -> dict[str, Value]:
    """A model whose spare curves are blank but for what every curve must have."""
    control = count == "NCtl"
    group, request = ("Ctl", "AdptCtl") if control else ("Crv", "AdptCrv")
    head: dict[str, Value] = {**scales, count: CURVES, "Ena": 0}
    head |= {f"{request}Req": 0, f"{request}Rslt": COMPLETED}
    head |= {} if control else {"NPt": POINTS}
    head |= {} if count == "NCrvSet" else {"RvrtTms": 0, "RvrtRem": 0, f"Rvrt{group}": 0}
    for number in range(1, CURVES + 1):
        head[f"{group}.{number}.ReadOnly"] = int(number == 1)
    return head | {f"{group}.1.{name}": value for name, value in active.items()}


def _trips(
    axis: str, scales: Mapping[str, Value], must: Pairs, may: Pairs, cease: Pairs
) -> dict[str, Value]:
    active = {
        **_points("MustTrip.", axis, "Tms", must),
        **_points("MayTrip.", axis, "Tms", may),
        **_points("MomCess.", axis, "Tms", cease),
    }
    return _curves("NCrvSet", {**scales, "Tms_SF": -2}, active) | {"Ena": _ON}


@dataclass
class Functions:
    """The functions in an image that holds `constants` in 704 and `models` beside it."""

    image: Image
    elapsed: Callable[[], float]
    id: str = ""
    adopts_after_s: float = ADOPTS_AFTER_S
    adoptions: int = 0
    """How many curves have been adopted, by request or by a timer."""
    _due: dict[int, tuple[int, float]] = field(default_factory=dict)
    _expires: dict[int | str, float] = field(default_factory=dict)
    _told: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for model_id in NAMES:
            self.image.lock(model_id, f"{_group(model_id)}.1.")
        self._told = self.enabled

    @property
    def enabled(self) -> frozenset[str]:
        """What is in force: names of `NAMES`, and prefixes of 704."""
        curves = {name for of, name in NAMES.items() if self.image.get(of, "Ena") == _ON}
        fixed = {name for name in _CONSTANTS if self.image.get(704, f"{name}Ena") == _ON}
        return frozenset(curves | fixed)

    def curve(self, model_id: int, number: int = 1, within: str = "") -> list[tuple[float, float]]:
        """Active points of a curve, in the order of its model's columns."""
        prefix = f"{_group(model_id)}.{number}.{within}"
        points = []
        for n in range(1, int(self.image.get(model_id, f"{prefix}ActPt")) + 1):
            names = self.image.names(model_id, f"{prefix}Pt.{n}.")
            first, second = (self.image.get(model_id, name) for name in names)
            points.append((first, second))
        return points

    def written(self, address: int, count: int) -> None:
        """A client has written these registers."""

        def touched(model_id: int, name: str) -> bool:
            return address <= self.image.address_of(model_id, name) < address + count

        now_s = self.elapsed()
        for model_id in NAMES:
            request = _request(model_id)
            if touched(model_id, f"{request}Req"):
                number = int(self.image.get(model_id, f"{request}Req"))
                self.image.put(model_id, f"{request}Rslt", IN_PROGRESS)
                self._due[model_id] = number, now_s + self.adopts_after_s
            if model_id not in _TRIPS and touched(model_id, "RvrtTms"):
                self._start(model_id, self.image.get(model_id, "RvrtTms"))
        for prefix in _CONSTANTS:
            if touched(704, f"{prefix}Ena") or touched(704, f"{prefix}RvrtTms"):
                self._start(prefix, self.image.get(704, f"{prefix}RvrtTms"))
        if self.enabled != self._told:
            self._told = self.enabled
            _log.info("functions in force", device=self.id, functions=sorted(self._told))

    def step(self) -> None:
        """Let adoptions end and timers run out that are due by now."""
        now_s = self.elapsed()
        for model_id, (number, due_s) in list(self._due.items()):
            if now_s >= due_s:
                del self._due[model_id]
                done = self._adopt(model_id, number)
                self.image.put(model_id, f"{_request(model_id)}Rslt", COMPLETED if done else FAILED)
        for key, expires_s in list(self._expires.items()):
            if now_s >= expires_s:
                del self._expires[key]
                self._revert(key)

    def refresh(self) -> None:
        """Put what a client should read now."""
        self.step()
        keys: tuple[int | str, ...] = (*NAMES, *_CONSTANTS)
        for key in keys:
            left_s = math.ceil(max(0.0, self._expires.get(key, 0.0) - self.elapsed()))
            if isinstance(key, str):
                self.image.put(704, f"{key}RvrtRem", left_s)
            elif key not in _TRIPS:
                self.image.put(key, "RvrtRem", left_s)

    def _start(self, key: int | str, timer_s: float) -> None:
        self._expires.pop(key, None)
        if timer_s:
            self._expires[key] = self.elapsed() + timer_s

    def _revert(self, key: int | str) -> None:
        if isinstance(key, int):
            _log.info("function reverts", device=self.id, function=NAMES[key])
            self._adopt(key, int(self.image.get(key, f"Rvrt{_group(key)}")))
            return
        _log.info("function reverts", device=self.id, function=key)
        self.image.put(704, f"{key}Ena", self.image.get(704, f"{key}EnaRvrt"))
        for name, after in _CONSTANTS[key].items():
            self.image.put(704, name, self.image.get(704, after))

    def _adopt(self, model_id: int, number: int) -> bool:
        """Copy a curve into curve 1, unless it makes no sense."""
        prefix, active = f"{_group(model_id)}.{number}.", f"{_group(model_id)}.1."
        names = self.image.names(model_id, prefix)
        if number == 1 or not names or not self._sound(model_id, number):
            _log.info("curve not adopted", device=self.id, function=NAMES[model_id])
            return False
        for name in names:
            if not name.endswith("ReadOnly") and self.image.implemented(model_id, name):
                value = self.image.get(model_id, name)
                self.image.put(model_id, active + name.removeprefix(prefix), value)
        self.adoptions += 1
        _log.info("curve adopted", device=self.id, function=NAMES[model_id])
        return True

    def _sound(self, model_id: int, number: int) -> bool:
        """Filled, with as many points as there is room for, and x (but not of trips) rising."""
        if model_id == _DROOP:
            return self.image.get(model_id, f"Ctl.{number}.KOf") > 0
        if model_id in _TRIPS:
            parts = [self.curve(model_id, number, f"{part}.") for part in ("MustTrip", "MayTrip")]
            return all(1 <= len(part) <= POINTS for part in parts)
        if not 1 <= self.image.get(model_id, f"Crv.{number}.ActPt") <= POINTS:
            return False
        xs = [x for x, _ in self.curve(model_id, number)]
        return xs == sorted(xs)


def _group(model_id: int) -> str:
    return "Ctl" if model_id == _DROOP else "Crv"


def _request(model_id: int) -> str:
    return f"Adpt{_group(model_id)}"
