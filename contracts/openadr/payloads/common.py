"""Parts that messages of several services share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EiResponse:
    """`eiResponse`: how a request was taken.

    `code` 200 is success; 450 out of sequence, 451 not allowed, 452 invalid id, 453 not
    recognised, 454 invalid data, 459 compliance error, 460 signal not supported, 461 report not
    supported, 462 target mismatch, 463 not registered. Range 0 to 999.
    """

    code: int = 200
    description: str | None = "OK"
    request_id: str = ""
    """Of the request this answers; empty when it had none."""

    @property
    def ok(self) -> bool:
        """Whether the request was accepted (2xx)."""
        return 200 <= self.code < 300  # noqa: PLR2004 - the range itself is the definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`eiTarget`: who is addressed; the parts are OR-ed. Nothing named means everyone."""

    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()
    ven_ids: tuple[str, ...] = ()
    party_ids: tuple[str, ...] = ()
    other_kinds: tuple[str, ...] = ()
    """Inbound only: names of target elements we do not speak (`pnode`, `meterAsset`, ...), so
    that a target made of those alone is not taken for "everyone"."""

    @property
    def everyone(self) -> bool:
        """Whether nobody in particular is addressed."""
        return self == EVERYONE


EVERYONE = Target()
"""Nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAttributes:
    """`powerAttributes`: the circuit a power is meant on."""

    hertz: float = 50.0
    voltage_v: float = 230.0
    ac: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBase:
    """`itemBase`: what a number measures, in which unit and scale.

    `kind` is the element's name: `powerReal`, `energyReal`, `voltage`, `currencyPerKWh`,
    `customUnit`, ... Powers carry `power_attributes`, the others do not.
    """

    kind: str
    units: str
    si_scale_code: str = "none"
    description: str = ""
    power_attributes: PowerAttributes | None = None

    @classmethod
    def power_real(cls, si_scale_code: str = "k") -> ItemBase:
        """Real power in W times the scale, kW unless told otherwise."""
        return cls(
            kind="powerReal",
            units="W",
            si_scale_code=si_scale_code,
            description="RealPower",
            power_attributes=PowerAttributes(),
        )

    @classmethod
    def energy_real(cls, si_scale_code: str = "k") -> ItemBase:
        """Real energy in Wh times the scale, kWh unless told otherwise."""
        return cls(
            kind="energyReal", units="Wh", si_scale_code=si_scale_code, description="RealEnergy"
        )
