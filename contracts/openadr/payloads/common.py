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
class QualifiedEventId:
    """`qualifiedEventID`: an event at one modification."""

    event_id: str
    modification_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportInterface:
    """`transportInterface`: the edge between two pricing nodes."""

    receipt: str
    delivery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceArea:
    """`serviceArea` or `serviceLocation`: an outline, as coordinates one after another."""

    positions: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`eiTarget`: who is addressed; the parts are OR-ed. Nothing named means everyone."""

    aggregated_pnodes: tuple[str, ...] = ()
    end_device_assets: tuple[str, ...] = ()
    """mRIDs, in `oadrDeviceClass` names of a class such as `Electric_Vehicle`."""
    meter_assets: tuple[str, ...] = ()
    """mRIDs."""
    pnodes: tuple[str, ...] = ()
    service_areas: tuple[ServiceArea, ...] = ()
    service_delivery_points: tuple[str, ...] = ()
    service_locations: tuple[ServiceArea, ...] = ()
    transport_interfaces: tuple[TransportInterface, ...] = ()
    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()
    ven_ids: tuple[str, ...] = ()
    party_ids: tuple[str, ...] = ()
    other_kinds: tuple[str, ...] = ()
    """Inbound only: names of elements from outside the profile, so that a target made of those
    alone is not taken for "everyone"."""

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
    `customUnit`, ... Powers carry `power_attributes`, a pulse count its factor, the others
    neither. The schema fixes the units of most kinds, and the description, which may then be left
    empty.
    """

    kind: str
    units: str
    si_scale_code: str = "none"
    description: str = ""
    power_attributes: PowerAttributes | None = None
    pulse_factor: float | None = None
    """kWh per count; a pulse count has this instead of a scale."""

    @classmethod
    def power_real(cls, si_scale_code: str = "k") -> ItemBase:
        """Real power in W times the scale, kW unless told otherwise."""
        return cls.power("powerReal", "W", si_scale_code)

    @classmethod
    def power(cls, kind: str, units: str, si_scale_code: str = "k") -> ItemBase:
        """`powerReal` in W, `powerApparent` in VA or `powerReactive` in VAR, times the scale."""
        return cls(
            kind=kind,
            units=units,
            si_scale_code=si_scale_code,
            description=kind.removeprefix("power") + "Power",
            power_attributes=PowerAttributes(),
        )

    @classmethod
    def energy_real(cls, si_scale_code: str = "k") -> ItemBase:
        """Real energy in Wh times the scale, kWh unless told otherwise."""
        return cls(
            kind="energyReal", units="Wh", si_scale_code=si_scale_code, description="RealEnergy"
        )

    @classmethod
    def pulse_count(cls, kwh_per_count: float) -> ItemBase:
        """Counts of a meter's pulses."""
        return cls(
            kind="pulseCount",
            units="count",
            description="pulse count",
            pulse_factor=kwh_per_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomFeed:
    """`atom:feed` of Green Button data, carried through as it is: canonical XML."""

    xml: str
