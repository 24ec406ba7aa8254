"""The modes of `DERControlBase`, in the order of the schema, and the kind of each one's value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from contracts.sep2 import kinds
from contracts.sep2.fields import Compound, XmlField, element
from contracts.sep2.kinds import Kind
from contracts.sep2.resources.der import CurveLink, FixedVar, FreqDroop
from contracts.sep2.resources.quantity import (
    ACTIVE_POWER,
    REACTIVE_POWER,
    PowerFactorWithExcitation,
)

_STANDARD: tuple[tuple[str, Kind | Compound | type[Any]], ...] = (
    ("opModConnect", kinds.BOOLEAN),
    ("opModEnergize", kinds.BOOLEAN),
    ("opModFixedPFAbsorbW", PowerFactorWithExcitation),
    ("opModFixedPFInjectW", PowerFactorWithExcitation),
    ("opModFixedVar", FixedVar),
    ("opModFixedW", kinds.SIGNED_PERCENT),
    ("opModFreqDroop", FreqDroop),
    ("opModFreqWatt", CurveLink),
    ("opModHFRTMayTrip", CurveLink),
    ("opModHFRTMustTrip", CurveLink),
    ("opModHVRTMayTrip", CurveLink),
    ("opModHVRTMomentaryCessation", CurveLink),
    ("opModHVRTMustTrip", CurveLink),
    ("opModLFRTMayTrip", CurveLink),
    ("opModLFRTMustTrip", CurveLink),
    ("opModLVRTMayTrip", CurveLink),
    ("opModLVRTMomentaryCessation", CurveLink),
    ("opModLVRTMustTrip", CurveLink),
    ("opModMaxLimW", kinds.PERCENT),
    ("opModTargetVar", REACTIVE_POWER),
    ("opModTargetW", ACTIVE_POWER),
    ("opModVoltVar", CurveLink),
    ("opModVoltWatt", CurveLink),
    ("opModWattPF", CurveLink),
    ("opModWattVar", CurveLink),
)
_CSIPAUS = (
    "opModImpLimW",
    "opModExpLimW",
    "opModGenLimW",
    "opModLoadLimW",
    "opModStorageTargetW",
)

STANDARD_MODES: Mapping[str, XmlField] = MappingProxyType(
    {name: element(name, kind) for name, kind in _STANDARD}
)
"""Modes of the standard, by element name."""

CSIPAUS_MODES: Mapping[str, XmlField] = MappingProxyType(
    {name: element(name, ACTIVE_POWER, csipaus=True) for name in _CSIPAUS}
)
"""Modes that CSIP-AUS adds; limits at the connection point or of the DER, in W, not negative."""

RAMP = element("rampTms", kinds.CENTISECONDS16)
"""No mode; stands between the standard ones and the others."""

CURVE_MODES = frozenset(name for name, kind in _STANDARD if kind is CurveLink)
"""Modes that follow a `DERCurve`."""
