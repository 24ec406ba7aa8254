"""The DC side of inverters, port by port: SunSpec models 160 (old) and 714 (700 series).

At night (the fault length-change) model 714 keeps its head and loses its ports, as one maker's
inverters do it (pysunspec2 issue 89).
"""

from __future__ import annotations

from depot_sim.sunspec.image import Image, Value, scale_for

_STRING_V = 650.0
_DC_EFFICIENCY = 0.97
PV_PORT, STORAGE_PORT = 0, 1
"""714.PrtTyp."""
_ON = 1
_OLD, _NEW = 160, 714
_NAMES = {_OLD: ("module", "DCWH"), _NEW: ("Prt", "DCWhInj")}
"""What a model calls its ports, and the energy of one."""


def old(rated_w: float, strings: int) -> dict[str, Value]:
    """Constants of model 160."""
    return {
        "DCA_SF": -1,
        "DCV_SF": -1,
        "DCW_SF": scale_for(rated_w, 65_534),
        "DCWH_SF": 0,
        "N": strings,
        **{f"module.{n}.ID": n for n in range(1, strings + 1)},
    }


def new(rated_w: float, strings: int, port: int = PV_PORT) -> dict[str, Value]:
    """Constants of model 714."""
    ports: dict[str, Value] = {}
    for n in range(1, strings + 1):
        ports |= {f"Prt.{n}.PrtTyp": port, f"Prt.{n}.ID": n, f"Prt.{n}.DCSta": _ON}
    return {
        "DCA_SF": -1,
        "DCV_SF": -1,
        "DCW_SF": scale_for(rated_w / _DC_EFFICIENCY),
        "DCWH_SF": 0,
        "Tmp_SF": -1,
        "NPrt": strings,
        "PrtAlrms": 0,
        **ports,
    }


def refresh(image: Image, model_id: int, strings: int, generated_w: float, wh: float) -> None:
    """Put what the strings make: equal shares of `generated_w` (AC) and `wh` so far."""
    group, energy = _NAMES[model_id]
    dc_w = generated_w / _DC_EFFICIENCY
    share_w = dc_w / strings
    for n in range(1, strings + 1):
        image.put(model_id, f"{group}.{n}.DCW", share_w)
        image.put(model_id, f"{group}.{n}.DCV", _STRING_V if generated_w else 0.0)
        image.put(model_id, f"{group}.{n}.DCA", share_w / _STRING_V)
        image.put(model_id, f"{group}.{n}.{energy}", wh / strings)
    if model_id == _NEW:
        image.put(model_id, "DCW", dc_w)
        image.put(model_id, "DCA", dc_w / _STRING_V)
