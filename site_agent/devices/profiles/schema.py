"""The vocabulary of profiles: everything a file may say, and what of it must hold together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from site_agent.devices.points.units import fits
from site_agent.devices.points.vocabulary import CONTROLS, POINTS

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
ProfileId = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}(\.[a-z0-9][a-z0-9-]{0,40}){1,3}$")
]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Address = Annotated[int, Field(ge=0, le=0xFFFF)]
UnitId = Annotated[int, Field(ge=0, le=255)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
TableName = Literal["coil", "discrete", "holding", "input"]
Order = Literal["big", "little"]
Nature = Literal["meter", "battery", "pv", "charger", "sensor"]
TypeName = Literal[
    "bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"
]
WORDS: Mapping[TypeName, int] = {
    "bool": 1,
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "float32": 2,
    "int64": 4,
    "uint64": 4,
    "float64": 4,
}
"""Registers (or bits) of each type."""
ADDRESSES = 0x10000
NEEDED: Mapping[Nature, tuple[str, ...]] = {
    "meter": ("active_power",),
    "battery": ("active_power", "soc"),
    "pv": ("active_power",),
    "charger": ("plugged",),
    "sensor": (),
}
CONTROL_OF: Mapping[Nature, str] = {
    "battery": "power",
    "pv": "power_limit",
    "charger": "current_limit",
}
"""The one control a nature has."""


class Part(BaseModel):
    """Base of everything in a profile: unknown keys and numbers in quotes are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Register(Part):
    """One number in the registers: number = raw * scale + offset, then `map`.

    A raw value in `invalid` is no value: `max` is 7FFF..., `min` 8000..., `ones` FFFF..., or the
    raw value itself. Left out: `max` and `min` of signed types, `ones` of unsigned ones, none of
    `bool`; of floats NaN and infinities never count.
    """

    address: Address
    """On the wire, from 0."""
    type: TypeName
    """Signed integers are two's complement."""
    table: TableName | None = None
    """None: as the defaults say."""
    word_order: Order | None = None
    """`big`: the high word comes first; None: as the defaults say."""
    unit_id: UnitId | None = None
    """Of another unit than the device's own."""
    invalid: tuple[Literal["max", "min", "ones"] | int, ...] | None = None
    """None: what is usual for the type, see above."""
    bits: tuple[Annotated[int, Field(ge=0, le=63)], Annotated[int, Field(ge=1, le=64)]] | None = (
        None
    )
    """(lowest bit, how many): the raw value is these bits of it alone."""
    scale: Number = 1.0
    offset: Number = 0.0
    map: dict[int, Number] | None = None
    """Raw value to number; one that is not listed is `otherwise`."""
    otherwise: Number | None = None
    """None: no value."""

    def __hash__(self) -> int:
        return hash((self.address, self.type, self.unit_id))  # `map` has no hash of its own

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.address + WORDS[self.type] > ADDRESSES:
            raise ValueError("its last register would be beyond 65535")
        if self.scale == 0:
            raise ValueError("a scale of 0 says nothing")
        if self.type.startswith("float") and (self.bits or self.map or self.invalid):
            raise ValueError("a float has no bits, no map and no invalid")
        if self.otherwise is not None and self.map is None:
            raise ValueError("otherwise belongs to map")
        return self


class State(Register):
    """A number that is only read to judge others by, together with them."""


class When(Part):
    """A condition on a state's number."""

    state: Word
    among: Annotated[tuple[Number, ...], Field(min_length=1, max_length=64)]
    """Any of these numbers."""


class ValidWhen(When):
    """The point means something only in these states."""

    otherwise: Number | None = None
    """What it is in other states (ESTIMATED); None: no value. With no state it is no value."""


class Point(Register):
    """A point of the vocabulary: the number in `unit`, plus those of `plus`, then `invert`."""

    group: Word | None = None
    unit: str | None = None
    """None: the vocabulary's own. kW, kWh, mA ... are converted."""
    plus: Annotated[tuple[Register, ...], Field(max_length=8)] = ()
    """Added, such as the other phases' power; one without a value leaves the sum without."""
    invert: bool = False
    """The device counts the other way."""
    magnitude: bool = False
    """Its direction does not count."""
    negative_when: When | None = None
    """The device tells direction and size apart: in these states the number is negated."""
    range: tuple[Number, Number] | None = None
    """Beyond it, in the vocabulary's unit, it is no value."""
    valid_when: ValidWhen | None = None

    @model_validator(mode="after")
    def _range_ascends(self) -> Self:
        _check_ascending("range", self.range)
        return self


class Group(Part):
    """Points that are read together."""

    every: Annotated[float, Field(ge=0.05, le=3600)]
    """Seconds, on absolute deadlines: a late reading is skipped, never made up for."""
    max_age: Seconds
    """Seconds after which a reading is STALE."""

    @model_validator(mode="after")
    def _outlives_a_poll(self) -> Self:
        if self.max_age < self.every:
            raise ValueError("max_age must be at least every")
        return self


class BySign(Part):
    """A number by the sign of the setpoint."""

    positive: Number
    negative: Number
    zero: Number


class Step(Part):
    """One register written: raw = (number - offset) / scale, rounded.

    `put`: `value` (of the setpoint), `magnitude`, `percent` (of the control's `base`), `lapse`
    (seconds), `fail_safe` (a charger's fail-safe current), `beat` (a counter), or a number, or one
    by the sign of the setpoint.
    """

    address: Address
    type: TypeName
    put: Literal["value", "magnitude", "percent", "lapse", "fail_safe", "beat"] | Number | BySign
    """What is written, see above."""
    table: Literal["holding", "coil"] = "holding"
    word_order: Order | None = None
    unit_id: UnitId | None = None
    single: bool = False
    """With function 6, for devices that do not know function 16."""
    scale: Number = 1.0
    offset: Number = 0.0
    range: tuple[Number, Number] | None = None
    """Numbers beyond it are cut to it."""
    verify: bool = True
    """Read back; False where a register cannot be read, or does not keep what was written."""
    slack: Annotated[float, Field(ge=0)] = 0.0
    """How far the number read back may be off, for devices that round."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.scale == 0:
            raise ValueError("a scale of 0 writes nothing")
        if self.address + WORDS[self.type] > ADDRESSES:
            raise ValueError("its last register would be beyond 65535")
        if self.single and WORDS[self.type] > 1:
            raise ValueError("function 6 writes one register only")
        if (self.type == "bool") != (self.table == "coil"):
            raise ValueError("bool and coil belong together")
        _check_ascending("range", self.range)
        return self


Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=24)]


class Control(Part):
    """How a setpoint is written, in order, and how it is released."""

    write: Steps
    release: Steps
    """Back to what the device does by itself."""
    invert: bool = False
    """The device counts the other way."""
    unit: str | None = None
    """What `value` and `magnitude` are in; None: the vocabulary's own."""
    base: Register | float | None = None
    """What a `percent` is a percentage of, in the vocabulary's unit."""
    at_rest: tuple[Number, Number] | None = None
    """Setpoints from low to high (exclusive) are written as low; such as 0 to 6 A as a pause."""

    @model_validator(mode="after")
    def _at_rest_ascends(self) -> Self:
        _check_ascending("at_rest", self.at_rest)
        return self


class Heartbeat(Part):
    """Written while setpoints are in force and their writer lives."""

    every: Annotated[float, Field(ge=0.2, le=600)]
    """Seconds; well below the device's patience."""
    write: Steps


class Lapse(Part):
    """The device ends a setpoint by itself."""

    seconds: Annotated[float, Field(ge=1, le=86400)]
    """After the last write, or the last heartbeat."""
    to: Text
    """What it does then, in words."""


class Check(Part):
    """A sum that must hold, or none of its parts counts."""

    sum: Annotated[tuple[Word, ...], Field(min_length=2, max_length=8)]
    equals: Word
    tolerance: Annotated[float, Field(gt=0)]
    """In the points' unit."""
    share: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Or this share of `equals`, whichever is more."""


class Match(Register):
    """What the device must say to be the one that the profile is for."""

    among: Annotated[tuple[Number, ...], Field(min_length=1, max_length=200)]
    """Any of these numbers."""


class Transport(Part):
    """How the device wants to be asked."""

    unit_id: UnitId = 1
    """Usual; the settings may say another."""
    max_block: Annotated[int, Field(ge=1, le=125)] = 125
    """Most registers that one request may read."""
    gap: Annotated[int, Field(ge=0, le=124)] = 8
    """Registers nobody wants that a block may run over; 0: the device refuses unknown ones."""


class Defaults(Part):
    """For registers that do not say it themselves."""

    table: TableName = "holding"
    word_order: Order = "big"


class Profile(Part):
    """A whole profile."""

    profile: Literal[1]
    """The version of this format."""
    id: ProfileId
    """Maker and device, such as `acme.meter-1`."""
    name: Text
    nature: Nature
    """What the site takes it for; each nature needs certain points."""
    source: Annotated[tuple[Text, ...], Field(min_length=1, max_length=8)]
    """Public documents that say so."""
    notes: Annotated[tuple[Text, ...], Field(max_length=16)] = ()
    """What whoever installs the device must know."""
    match: Match | None = None
    """Nothing is believed of a device that does not say this."""
    transport: Transport = Transport()
    defaults: Defaults = Defaults()
    groups: Annotated[dict[Word, Group], Field(min_length=1, max_length=8)]
    """The first one is that of points that name none."""
    states: Annotated[dict[Word, State], Field(max_length=32)] = Field(default_factory=dict)
    """Numbers that are no points, for `valid_when` and `negative_when`."""
    points: Annotated[dict[Word, Point], Field(min_length=1, max_length=64)]
    """By their names in the vocabulary."""
    controls: Annotated[dict[Word, Control], Field(max_length=4)] = Field(default_factory=dict)
    """`power` of a battery, `power_limit` of a PV inverter, `current_limit` of a charger."""
    lapse: Lapse | Literal["none"] | None = None
    """Required with controls; `none`: the last setpoint stays, which derates the site."""
    heartbeat: Heartbeat | None = None
    checks: Annotated[tuple[Check, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        faults = [*_point_faults(self), *_control_faults(self)]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def first_group(self) -> str:
        """The group of whatever names none."""
        return next(iter(self.groups))


def _point_faults(profile: Profile) -> Iterator[str]:
    for name, point in profile.points.items():
        yield from _faults_of(name, point, profile.states)
        if point.group is not None and point.group not in profile.groups:
            yield f"{name}: no such group: {point.group}"
    for name, type_ in _types_read(profile):
        if WORDS[type_] > profile.transport.max_block:
            yield f"{name}: a {type_} does not fit into max_block"
    needed = set(NEEDED[profile.nature])
    needed.update(name for check in profile.checks for name in (*check.sum, check.equals))
    for name in sorted(needed - profile.points.keys()):
        yield f"needs the point {name}"
    if profile.nature == "charger" and not {"active_power", "current_l1"} & profile.points.keys():
        yield "needs the point active_power or current_l1"


def _types_read(profile: Profile) -> Iterator[tuple[str, TypeName]]:
    """Of everything that is ever read, also to see whether it was kept."""
    for name, register in (profile.states | profile.points).items():
        yield name, register.type
    for name, point in profile.points.items():
        yield from ((name, added.type) for added in point.plus)
    if profile.match is not None:
        yield "match", profile.match.type
    for name, control in profile.controls.items():
        if isinstance(control.base, Register):
            yield name, control.base.type
        yield from ((name, step.type) for step in (*control.write, *control.release) if step.verify)
    beats = () if profile.heartbeat is None else profile.heartbeat.write
    yield from (("heartbeat", step.type) for step in beats if step.verify)


def _faults_of(name: str, point: Point, states: Mapping[str, State]) -> Iterator[str]:
    if name not in POINTS:
        yield f"no such point: {name}"
    elif not fits(point.unit or POINTS[name].unit, POINTS[name].unit):
        yield f"{name} is in {POINTS[name].unit or 'no unit'}, {point.unit} does not fit"
    for condition in (point.negative_when, point.valid_when):
        if condition is not None and condition.state not in states:
            yield f"{name}: no such state: {condition.state}"


def _control_faults(profile: Profile) -> Iterator[str]:
    wanted = CONTROL_OF.get(profile.nature)
    for name, control in profile.controls.items():
        if name != wanted or name not in CONTROLS:
            yield f"a {profile.nature} has no control {name}"
        elif not fits(control.unit or CONTROLS[name].unit, CONTROLS[name].unit):
            yield f"{name}: {control.unit} does not fit"
        puts = [step.put for step in (*control.write, *control.release)]
        if "percent" in puts and control.base is None:
            yield f"{name}: percent needs base"
        if isinstance(control.base, float) and control.base <= 0:
            yield f"{name}: base must be above 0"
    if profile.controls and profile.lapse is None:
        yield "say what becomes of setpoints without us: lapse, or lapse: none"
    if not profile.controls and (profile.lapse or profile.heartbeat):
        yield "lapse and heartbeat belong to controls"


def _check_ascending(what: str, ends: tuple[float, float] | None) -> None:
    if ends is not None and ends[0] > ends[1]:
        raise ValueError(f"{what} goes from low to high")
