"""Numbers with their scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import Compound, element

_INT16_MAX = 2**15 - 1
_MULTIPLIERS = range(-3, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """`value` times ten to the `multiplier`, in the unit of the field: W, var, VA, V, A, Wh, Ah.

    What is read may lie outside Int16 (servers send 150000 W so); what is written may not.
    """

    multiplier: Annotated[int, element("multiplier", kinds.INT8)] = 0
    value: Annotated[int, element("value", kinds.INT48)]

    @property
    def number(self) -> float:
        """The quantity in its unit."""
        if self.multiplier >= 0:
            return self.value * 10.0**self.multiplier
        return self.value / 10.0**-self.multiplier

    @classmethod
    def of(cls, number: float) -> Scaled:
        """The nearest quantity that Int16 can hold: 150000 is 15000 x 10^1, 12.5 is 125 x 10^-1.

        No finer than 0.001.

        Raises:
            ValueError: not a finite number, or beyond 32767 x 10^9.
        """
        if not math.isfinite(number):
            raise ValueError(f"{number} is not a quantity")
        for multiplier in _MULTIPLIERS:
            value = round(number / 10.0**multiplier)
            if abs(value) <= _INT16_MAX:
                return cls._shortest(value, multiplier)
        raise ValueError(f"{number} is too large")

    @classmethod
    def _shortest(cls, value: int, multiplier: int) -> Scaled:
        while multiplier < 0 and value % 10 == 0:
            value, multiplier = value // 10, multiplier + 1
        return cls(multiplier=multiplier, value=value)


ACTIVE_POWER = REACTIVE_POWER = Compound(Scaled, -(2**15), _INT16_MAX)
"""`ActivePower` in W, `ReactivePower` in var."""
UNSIGNED = Compound(Scaled, 0, 2**16 - 1)
"""`ApparentPower` VA, `VoltageRMS` V, `CurrentRMS` A, `WattHour` Wh, `AmpereHour` Ah, ..."""
SIGNED_ENERGY = Compound(Scaled, -(2**47), 2**47)
"""`SignedRealEnergy` in Wh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactor:
    """`PowerFactor`: `displacement` times ten to the `multiplier`, 0 to 1 (950 and -3 is 0.95)."""

    displacement: Annotated[int, element("displacement", kinds.UINT16)]
    multiplier: Annotated[int, element("multiplier", kinds.INT8)]

    @property
    def number(self) -> float:
        """The cosine of phi, without a sign."""
        return Scaled(value=self.displacement, multiplier=self.multiplier).number


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactorWithExcitation:
    """`PowerFactorWithExcitation`: a power factor and the direction of the reactive power."""

    displacement: Annotated[int, element("displacement", kinds.UINT16)]
    excitation: Annotated[bool, element("excitation", kinds.BOOLEAN)]
    """True: the DER absorbs reactive power (under-excited)."""
    multiplier: Annotated[int, element("multiplier", kinds.INT8)]

    @property
    def number(self) -> float:
        """The cosine of phi, without a sign."""
        return Scaled(value=self.displacement, multiplier=self.multiplier).number


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitValue:
    """`UnitValueType`: a scaled value with its unit of measure (`codes.Uom`)."""

    multiplier: Annotated[int, element("multiplier", kinds.INT8)]
    unit: Annotated[int, element("unit", kinds.UINT8)]
    value: Annotated[int, element("value", kinds.INT32)]
