"""Programs, tariffs, and the function set assignments that lead devices to them (8.6, CSIP P23)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from contracts.errors import PermanentError
from vtn_sim.sep2.identifiers import Mrids
from vtn_sim.sep2.refusal import UnknownNameError
from vtn_sim.sep2.spec import (
    CurveSpec,
    DefaultSpec,
    FsaSpec,
    LoadProgramSpec,
    ModesSpec,
    ProgramSpec,
    TariffSpec,
)


class UnknownGroupError(UnknownNameError):
    """No program, tariff or group of this name."""


@dataclass(slots=True)
class Curve:
    """A DERCurve."""

    number: int
    mrid: str
    spec: CurveSpec
    created_at: datetime


@dataclass(slots=True)
class Program:
    """A DERProgram; everything but its events."""

    number: int
    name: str
    mrid: str
    default_mrid: str
    primacy: int
    description: str
    default: DefaultSpec | None
    default_version: int
    curves: tuple[Curve, ...]

    def curve(self, name: str) -> Curve:
        """A curve by name.

        Raises:
            UnknownGroupError: there is none.
        """
        found = next((c for c in self.curves if c.spec.name == name), None)
        if found is None:
            raise UnknownGroupError(f"program {self.name!r} has no curve {name!r}")
        return found


@dataclass(slots=True)
class LoadProgram:
    """A DemandResponseProgram; everything but its events."""

    number: int
    name: str
    mrid: str
    primacy: int
    description: str


@dataclass(slots=True)
class Tariff:
    """A TariffProfile."""

    number: int
    name: str
    mrid: str
    spec: TariffSpec
    created_at: datetime
    revision: int = 0
    """Intervals with changed prices are new ones."""

    @property
    def primacy(self) -> int:
        """The lower one wins."""
        return self.spec.primacy


@dataclass(slots=True)
class Fsa:
    """A FunctionSetAssignments."""

    number: int
    name: str
    mrid: str
    description: str
    programs: tuple[str, ...]
    load_programs: tuple[str, ...]
    tariffs: tuple[str, ...]


class Ranked(Protocol):
    """What is listed by primacy rising, then mRID falling (4.7)."""

    mrid: str

    @property
    def primacy(self) -> int:
        """The lower one wins."""
        ...


class _Named(Protocol):
    number: int
    name: str


RankedT = TypeVar("RankedT", bound=Ranked)
NamedT = TypeVar("NamedT", bound=_Named)


def ranked(items: Iterable[RankedT]) -> list[RankedT]:
    """In the order of the standard's lists."""
    return sorted(sorted(items, key=_mrid, reverse=True), key=lambda one: one.primacy)


def _mrid(one: Ranked) -> str:
    return one.mrid.upper()


class Shelf(Generic[NamedT]):
    """Things of one kind by name, and by the number in their addresses."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._things: dict[str, NamedT] = {}

    @property
    def next_number(self) -> int:
        """For the next one."""
        return len(self._things) + 1

    def put(self, thing: NamedT) -> NamedT:
        """Add one.

        Raises:
            PermanentError: its name is taken.
        """
        if thing.name in self._things:
            raise PermanentError(f"{self._kind} {thing.name!r} exists already")
        self._things[thing.name] = thing
        return thing

    def get(self, name: str) -> NamedT:
        """By name.

        Raises:
            UnknownGroupError: there is none.
        """
        if name not in self._things:
            raise UnknownGroupError(f"no {self._kind} {name!r}")
        return self._things[name]

    def numbered(self, number: str) -> NamedT | None:
        """By the number in an address."""
        return next((t for t in self._things.values() if str(t.number) == number), None)

    def all(self) -> Sequence[NamedT]:
        """Every one, in order of creation."""
        return tuple(self._things.values())

    def check(self, names: Iterable[str]) -> None:
        """Whether all of these exist.

        Raises:
            UnknownGroupError: one does not.
        """
        for name in names:
            self.get(name)


class Groups:
    """Everything that devices can be assigned to."""

    def __init__(self, mrids: Mrids) -> None:
        self._mrids = mrids
        self.programs = Shelf[Program]("DERProgram")
        self.load_programs = Shelf[LoadProgram]("DemandResponseProgram")
        self.tariffs = Shelf[Tariff]("tariff")
        self.fsas = Shelf[Fsa]("group")

    def add_program(self, spec: ProgramSpec, now: datetime) -> Program:
        """A new DERProgram.

        Raises:
            PermanentError: its name is taken, or a curve that it names is missing.
        """
        program = Program(
            number=self.programs.next_number,
            name=spec.name,
            mrid=self._mrids.stable("DERProgram", spec.name),
            default_mrid=self._mrids.stable("DefaultDERControl", spec.name),
            primacy=spec.primacy,
            description=spec.description,
            default=spec.default,
            default_version=0,
            curves=tuple(self._curve(spec.name, n, c, now) for n, c in enumerate(spec.curves, 1)),
        )
        if spec.default is not None:
            check_curves(program, spec.default)
        return self.programs.put(program)

    def _curve(self, program: str, number: int, spec: CurveSpec, now: datetime) -> Curve:
        mrid = self._mrids.stable("DERCurve", f"{program} {spec.name}")
        return Curve(number=number, mrid=mrid, spec=spec, created_at=now)

    def add_load_program(self, spec: LoadProgramSpec) -> LoadProgram:
        """A new DemandResponseProgram.

        Raises:
            PermanentError: its name is taken.
        """
        return self.load_programs.put(
            LoadProgram(
                number=self.load_programs.next_number,
                name=spec.name,
                mrid=self._mrids.stable("DemandResponseProgram", spec.name),
                primacy=spec.primacy,
                description=spec.description,
            )
        )

    def add_tariff(self, spec: TariffSpec, now: datetime) -> Tariff:
        """A new TariffProfile.

        Raises:
            PermanentError: its name is taken.
        """
        return self.tariffs.put(
            Tariff(
                number=self.tariffs.next_number,
                name=spec.name,
                mrid=self._mrids.stable("TariffProfile", spec.name),
                spec=spec,
                created_at=now,
            )
        )

    def add_fsa(self, spec: FsaSpec) -> Fsa:
        """A new group.

        Raises:
            PermanentError: its name is taken, or it names what there is not.
        """
        self.programs.check(spec.programs)
        self.load_programs.check(spec.load_programs)
        self.tariffs.check(spec.tariffs)
        return self.fsas.put(
            Fsa(
                number=self.fsas.next_number,
                name=spec.name,
                mrid=self._mrids.stable("FunctionSetAssignments", spec.name),
                description=spec.description,
                programs=spec.programs,
                load_programs=spec.load_programs,
                tariffs=spec.tariffs,
            )
        )

    def fsas_with(self, program: str) -> Sequence[Fsa]:
        """The groups that lead to a program of either kind, or a tariff."""
        return [
            fsa
            for fsa in self.fsas.all()
            if program in (*fsa.programs, *fsa.load_programs, *fsa.tariffs)
        ]


def check_curves(program: Program, spec: ModesSpec) -> None:
    """Whether the program has the curves that the modes follow.

    Raises:
        UnknownGroupError: one is missing.
    """
    for value in spec.modes.values():
        if isinstance(value, str):
            program.curve(value)
