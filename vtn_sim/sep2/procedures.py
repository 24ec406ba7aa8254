"""Procedures to test a client with, by id: what the utility does, and what must come of it.

They follow the CSIP conformance tests in substance (`vtn_sim/scenarios/csip`), in seconds instead
of minutes. Each brings everything of a server but its keys and its clients:
`procedure("BASIC-021").settings(server)` is what to run. Whoever is to be tested stands in for
EndDevices of the LFDIs in `Procedure.lfdis`, all with PIN 111115.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings, loads
from contracts.errors import PermanentError
from contracts.sep2.resources import DERAvailability, DERCapability, DERSettings, DERStatus
from vtn_sim.sep2.actions import AddControl, CancelEvent, ScenarioStep
from vtn_sim.sep2.habits import Habits
from vtn_sim.sep2.modes import ModeSpec
from vtn_sim.sep2.paging import SUBSCRIBABLE
from vtn_sim.sep2.settings import Rate, Sep2ServerSettings
from vtn_sim.sep2.spec import DeviceSpec, FsaSpec, Name, ProgramSpec

ProcedureId = Annotated[str, Field(pattern=r"^[A-Z]{3,6}-[0-9]{3}[A-H]?$")]
CCM8 = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
EVERYONE, AGGREGATOR = "all", "aggregator"
Code = Annotated[int, Field(ge=1, le=255)]
Codes = tuple[Code | tuple[Code, ...], ...]
"""Response codes in order; several in one place: any of them will do."""
Stretch = Annotated[int, Field(ge=1, le=600)]
_FOLDER = "scenarios/csip"
_LONGEST_S = 86_400
_INFO = {cls.__name__: cls for cls in (DERAvailability, DERCapability, DERSettings, DERStatus)}
_NOT_TO_THE_END: tuple[Codes, ...] = ((), (1,), (6,))
"""Last answers to events whose end is not waited for."""


def lfdi_of(label: str) -> str:
    """The LFDI of a device in procedures, which the utility has assigned."""
    return hashlib.sha256(f"EndDevice {label}".encode()).hexdigest()[:40].upper()


class Step(ScenarioStep):
    """A step, or several: the names of repeated events end in `-1`, `-2` and so on."""

    relative_to: Literal["start", "contact"] = "contact"
    times: Annotated[int, Field(ge=1, le=100)] = 1
    every_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """So much later each of the repeated events starts."""

    def expanded(self, stretch: int) -> Iterator[ScenarioStep]:
        """What is to be done, each on its own, `stretch` times as slow."""
        for number in range(self.times):
            suffix = f"-{number + 1}" if self.times > 1 else ""
            yield ScenarioStep(
                relative_to=self.relative_to,
                after_s=self.after_s * stretch,
                do=self._changed(suffix, number * self.every_s, stretch),
            )

    def _changed(self, suffix: str, later_s: float, stretch: int) -> Any:  # noqa: ANN401 - an Action
        do = self.do
        if isinstance(do, CancelEvent):
            return do.model_copy(update={"event": do.event + suffix})
        if not isinstance(do, AddControl):
            return do
        changes = {
            "name": None if do.name is None else do.name + suffix,
            "start_in_s": ((do.start_in_s or 0.0) + later_s) * stretch,
            "duration_s": do.duration_s * stretch,
            "randomize_start_s": do.randomize_start_s * stretch,
            "randomize_duration_s": do.randomize_duration_s * stretch,
        }
        return do.model_copy(update=changes)


class UtilitySpec(Settings):
    """The server of a procedure: `Sep2ServerSettings` without keys, ports and clients."""

    devices: tuple[DeviceSpec, ...]
    """Those that the client stands in for, by label; `aggregator` is the client itself."""
    fsas: tuple[FsaSpec, ...] = ()
    programs: tuple[ProgramSpec, ...] = ()
    in_band: Literal["off", "known", "any"] = "off"
    clock_shift_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0.0
    poll_rates: Mapping[str, Rate] = Field(default_factory=dict)
    poll_rate_s: Rate = 900
    max_items: Annotated[int, Field(ge=1, le=255)] = 255
    habits: Habits = Habits()
    scenario: tuple[Step, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, data: Any) -> Any:  # noqa: ANN401 - as it was written
        """Devices are written by label alone, also those that come later."""
        if not isinstance(data, dict):
            return data
        steps = [_with_device(step) for step in data.get("scenario", ())]
        devices = [_identified(device) for device in data.get("devices", ())]
        return {**data, "devices": devices, "scenario": steps}


class Tls(Settings):
    """Suites, and certificates: those of the server are given to it, whoever makes them."""

    chain: Literal[2, 3, 4] = 3
    """Certificates from the leaf to the root, on both sides."""
    ccm8_only: bool = False
    """ECDHE-ECDSA-AES128-CCM-8 and no other suite."""
    fault: (
        Literal[
            "self-signed",
            "wrong-root",
            "usage-critical",
            "names-not-critical",
            "policies-not-critical",
        ]
        | None
    ) = None
    """What is wrong with the server's certificate: the client must not go on."""


class Moment(Settings):
    """What the site must be held to at one moment."""

    event: Name | None = None
    """Whose start is counted from; none: the client's first request."""
    after_s: float
    """Negative: before."""
    modes: Annotated[dict[str, ModeSpec | None], Field(min_length=1)]
    """Values as in controls; none: nothing sets the mode."""


class Expected(Settings):
    """What must come of it, seen from the server; `in_force` is seen at the sites."""

    admitted: bool = True
    """False: not one request may arrive."""
    responses: dict[str, dict[str, Codes]] = Field(default_factory=dict)
    """By event (`parked-*` is several) and device, `all` is everyone: no other device may answer,
    and no event may be answered that is not named here."""
    requests: dict[str, int | tuple[int, int]] = Field(default_factory=dict)
    """How many of a kind (`GET DERControlList`), at least, or at least and at most."""
    subscribed: tuple[str, ...] | None = None
    """Kinds of resources subscribed to at the end, no others; none: not looked at."""
    notified: tuple[str, ...] = ()
    """Kinds of resources of which a Notification was sent, and taken."""
    told: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """DER information that every listed device has told, and fields that it must have."""
    log_events: dict[str, int] = Field(default_factory=dict)
    """How many LogEvents at least, by device."""
    readings: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Units (uom) of which there are readings, by device or `aggregator`."""
    in_force: dict[str, tuple[Moment, ...]] = Field(default_factory=dict)
    """By device, or `all`."""

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        unknown = {*(self.subscribed or ()), *self.notified} - SUBSCRIBABLE
        if unknown:
            raise ValueError(f"{sorted(unknown)} cannot be subscribed to")
        for kind, names in self.told.items():
            if kind not in _INFO:
                raise ValueError(f"told: no DER information {kind!r}")
            missing = set(names) - _INFO[kind].__dataclass_fields__.keys()
            if missing:
                raise ValueError(f"told: {kind} has no {sorted(missing)}")
        return self

    def answers(self, event: str) -> Mapping[str, Codes]:
        """Response codes about an event by device; empty: nobody may answer."""
        named = (found for pattern, found in self.responses.items() if fnmatchcase(event, pattern))
        return next(named, {})


class Procedure(Settings):
    """One test."""

    id: ProcedureId
    title: Annotated[str, Field(min_length=1, max_length=120)]
    clauses: tuple[str, ...] = ()
    """Where the requirement is."""
    sep2: UtilitySpec
    tls: Tls = Tls()
    optional_modes: bool = False
    """A client whose devices lack the modes answers 252 after 1 and does not start."""
    watch_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    """Look on at least so long from the first request, whatever the scenario."""
    expect: Expected

    @property
    def row(self) -> str:
        """The id of the test it belongs to: COMM-004 has parts A to H."""
        return self.id.rstrip("ABCDEFGH")

    @property
    def lfdis(self) -> Mapping[str, str]:
        """LFDI by label of every device, those that come later included."""
        specs = [*self.sep2.devices, *_added(self.sep2.scenario)]
        return {spec.key: spec.lfdi for spec in specs}

    def settings(self, server: Sep2ServerSettings, stretch: Stretch = 1) -> Sep2ServerSettings:
        """The procedure on a server of these keys, ports and aggregators.

        `stretch` makes every time so much longer, for clients that need minutes.

        Raises:
            ValidationError: it does not fit, as a pollRate stretched beyond a day.
        """
        own = self.sep2
        chosen: dict[str, Any] = {name: getattr(own, name) for name in type(own).model_fields}
        chosen["scenario"] = self.steps(stretch)
        chosen["poll_rates"] = {kind: rate * stretch for kind, rate in own.poll_rates.items()}
        chosen["poll_rate_s"] = min(own.poll_rate_s * stretch, _LONGEST_S)
        if self.tls.ccm8_only:
            chosen["ciphers"] = CCM8
        kept = {name: getattr(server, name) for name in type(server).model_fields}
        return Sep2ServerSettings.model_validate({**kept, **chosen})

    def steps(self, stretch: Stretch = 1) -> tuple[ScenarioStep, ...]:
        """What the utility does."""
        return tuple(one for step in self.sep2.scenario for one in step.expanded(stretch))

    def lasts_s(self, stretch: Stretch = 1) -> float:
        """From the first request of the client to the end of the last thing to be seen."""
        ends = [step.after_s + self._lasts_s(step.do) for step in self.steps(stretch)]
        moments = (m for found in self.expect.in_force.values() for m in found if m.event is None)
        ends += [moment.after_s * stretch for moment in moments]
        return max([self.watch_s * stretch, *ends])

    def _lasts_s(self, do: object) -> float:
        """How long after it was announced an event is over at every device, if it runs so long."""
        if not isinstance(do, AddControl):
            return 0.0
        answers = [codes[-1:] for codes in self.expect.answers(do.name or "").values()]
        if all(last in _NOT_TO_THE_END for last in answers):
            return 0.0
        late_s = max(do.randomize_start_s, 0) + max(do.randomize_duration_s, 0)
        return (do.start_in_s or 0.0) + do.duration_s + late_s

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        events = {
            step.do.name: step for step in self.steps() if isinstance(step.do, AddControl)
        }.keys()
        for pattern in self.expect.responses:
            if not any(name and fnmatchcase(name, pattern) for name in events):
                raise ValueError(f"responses: no event {pattern!r}")
        for found in self.expect.in_force.values():
            for moment in found:
                if moment.event is not None and moment.event not in events:
                    raise ValueError(f"in_force: no event {moment.event!r}")
        unknown = self._named() - self.lfdis.keys() - {EVERYONE, AGGREGATOR}
        if unknown:
            raise ValueError(f"expect: no device {sorted(unknown)}")
        return self

    def _named(self) -> set[str]:
        """Devices that are spoken of."""
        expect = self.expect
        answering = {label for found in expect.responses.values() for label in found}
        return answering | {*expect.log_events, *expect.readings, *expect.in_force}


class Family(Settings):
    """One file of procedures."""

    about: str
    common: dict[str, Any] = Field(default_factory=dict)
    """What procedures of the file share, by YAML anchors."""
    procedures: tuple[Procedure, ...]


@cache
def catalogue() -> Mapping[str, Procedure]:
    """Every procedure by id, in order of family and place.

    Raises:
        ConfigError: a file that came with this program cannot be used.
        PermanentError: two have one id.
    """
    found: dict[str, Procedure] = {}
    folder = files("vtn_sim").joinpath(_FOLDER)
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".yaml"):
            continue
        for one in loads(file.read_text(encoding="utf-8"), Family, name=file.name).procedures:
            if one.id in found:
                raise PermanentError(f"{file.name}: {one.id} is there twice")
            found[one.id] = one
    return found


def procedure(name: str) -> Procedure:
    """One by id.

    Raises:
        PermanentError: there is none.
    """
    if name not in catalogue():
        raise PermanentError(f"no procedure {name!r}; there are: {', '.join(catalogue())}")
    return catalogue()[name]


def _added(steps: tuple[Step, ...]) -> Iterator[DeviceSpec]:
    for step in steps:
        device = getattr(step.do, "device", None)
        if isinstance(device, DeviceSpec):
            yield device


def _with_device(step: Any) -> Any:  # noqa: ANN401 - as it was written
    do = step.get("do") if isinstance(step, dict) else None
    if not isinstance(do, dict) or not isinstance(do.get("device"), dict):
        return step
    return {**step, "do": {**do, "device": _identified(do["device"])}}


def _identified(device: Any) -> Any:  # noqa: ANN401 - as it was written
    if not isinstance(device, dict) or "lfdi" in device:
        return device
    return {"lfdi": lfdi_of(str(device.get("label"))), **device}
