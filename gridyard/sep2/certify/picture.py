"""What a server showed before the operator acted: everything that comes later is news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.sep2.resources import (
    DefaultDERControl,
    DERProgram,
    DERProgramList,
    EndDevice,
    FunctionSetAssignmentsList,
    Link,
)
from gateway.utility.sep2.rhythms import rate_s
from gateway.utility.sep2.transport import NotVisibleError
from gateway.utility.sep2.view import ProgramView, ServerView
from gridyard.sep2.certify.bench import Bench
from gridyard.sep2.certify.programs import controls_of

DefaultKey = tuple[object, ...]
"""What of a default can change: its modes and ramps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPicture:
    """One DERProgram."""

    name: str
    primacy: int
    default: DefaultKey | None
    controls: frozenset[str]
    """Canonical mRIDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All configured devices that are listed."""

    devices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Canonical mRIDs of its programs by LFDI."""
    programs: Mapping[str, ProgramPicture] = field(default_factory=dict)
    """By canonical mRID."""

    def covers(self, other: Picture) -> bool:
        """Whether it shows at least the devices, programs and controls of the other."""
        return all(
            lfdi in self.devices and self.devices[lfdi] >= programs
            for lfdi, programs in other.devices.items()
        ) and all(
            mrid in self.programs and self.programs[mrid].controls >= program.controls
            for mrid, program in other.programs.items()
        )


def of_view(view: ServerView) -> Picture:
    """The view of our client as a picture."""
    programs = {p.program.canonical_mrid: p for d in view.devices.values() for p in d.programs}
    return Picture(
        devices={
            lfdi: frozenset(p.program.canonical_mrid for p in device.programs)
            for lfdi, device in view.devices.items()
        },
        programs={mrid: _program(one) for mrid, one in programs.items()},
    )


def _program(view: ProgramView) -> ProgramPicture:
    return ProgramPicture(
        name=view.program.description or view.program.canonical_mrid,
        primacy=view.program.primacy,
        default=default_key(view.default),
        controls=frozenset(one.canonical_mrid for one in view.controls),
    )


def default_key(default: DefaultDERControl | None) -> DefaultKey | None:
    """What of a default can change."""
    if default is None:
        return None
    modes = tuple(sorted((name, repr(v)) for name, v in default.der_control_base.modes.items()))
    return (*modes, default.set_grad_w, default.set_soft_grad_w)


async def taken(bench: Bench) -> tuple[Picture, float]:
    """A picture of the server now, and how often our client will look at programs, in s."""
    devices: dict[str, frozenset[str]] = {}
    programs: dict[str, ProgramPicture] = {}
    lists: dict[str, DERProgramList] = {}
    wanted = {one.lfdi for one in bench.settings.devices}
    for device in (await bench.end_devices()).items:
        if device.canonical_lfdi not in wanted:
            continue
        hrefs = await _program_lists(bench, device)
        for href in hrefs - lists.keys():
            lists[href] = await bench.items(Link(href=href), DERProgramList)
        found = {p.canonical_mrid: p for href in hrefs for p in lists[href].items}
        for mrid in found.keys() - programs.keys():
            programs[mrid] = await _read(bench, found[mrid])
        devices[device.canonical_lfdi] = frozenset(found)
    rates = [one.poll_rate for one in lists.values() if one.poll_rate is not None]
    every_s = rate_s(DERProgramList, max(rates, default=None), override_s=bench.settings.poll_s)
    return Picture(devices=devices, programs=programs), every_s


async def _program_lists(bench: Bench, device: EndDevice) -> set[str]:
    link = device.function_set_assignments_list_link
    groups = () if link is None else (await bench.items(link, FunctionSetAssignmentsList)).items
    links = (group.der_program_list_link for group in groups)
    return {link.href for link in links if link is not None}


async def _read(bench: Bench, program: DERProgram) -> ProgramPicture:
    default, link = None, program.default_der_control_link
    if link is not None:
        try:
            default = await bench.transport.get(link.href, DefaultDERControl)
        except NotVisibleError:
            default = None
    controls = await controls_of(bench, program)
    return ProgramPicture(
        name=program.description or program.canonical_mrid,
        primacy=program.primacy,
        default=default_key(default),
        controls=frozenset(one.canonical_mrid for one in controls),
    )
