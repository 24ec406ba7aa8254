"""Procedures that read groups, programs and what is in them (CSIP CORE, BASIC)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from contracts.errors import PermanentError
from contracts.sep2.resources import (
    DefaultDERControl,
    DERControl,
    DERControlList,
    DERCurveList,
    DERProgram,
    DERProgramList,
    FunctionSetAssignmentsList,
    Link,
)
from gateway.utility.sep2.hrefs import with_page
from gridyard.sep2.certify.bench import Bench, NotApplicableError, needed

_MOST_POINTS = 10
_WHOLE_PAGE = 255


async def order(bench: Bench) -> str:
    """CORE-003: lists are in the order of the standard (4.7)."""
    times = [one.changed_time for one in (await bench.end_devices()).items if one.changed_time]
    if times != sorted(times, reverse=True):
        raise PermanentError("EndDeviceList: changedTime does not fall")
    programs = controls = 0
    async for listed in program_lists(bench):
        _ordered("DERProgramList: primacy", [one.primacy for one in listed.items])
        programs += len(listed.items)
        for program in listed.items:
            found = await controls_of(bench, program)
            _ordered(f"DERControlList of {named(program)}: start", [_start(one) for one in found])
            controls += len(found)
    return f"{len(times)} EndDevices, {programs} programs, {controls} controls in order"


def _start(control: DERControl) -> float:
    return control.interval.start.timestamp()


def _ordered(what: str, values: Sequence[float]) -> None:
    if list(values) != sorted(values):
        raise PermanentError(f"{what} does not rise")


async def groups(bench: Bench) -> str:
    """CORE-011: every function set assignment of every device, however many pages."""
    counts = [
        len((await bench.items(link, FunctionSetAssignmentsList)).items)
        for link in await assignments(bench)
    ]
    return f"groups per device: {', '.join(map(str, counts))}"


async def defaults(bench: Bench) -> str:
    """CORE-010: every program that is assigned, with its default."""
    programs, known = [p async for p in programs_of(bench)], 0
    for program in programs:
        if program.default_der_control_link is not None:
            await bench.transport.get(program.default_der_control_link.href, DefaultDERControl)
            known += 1
    return f"{len(programs)} programs, {known} defaults read"


async def curves(bench: Bench) -> str:
    """CORE-012: curves, of up to ten points each."""
    found = 0
    async for program in programs_of(bench):
        if program.der_curve_list_link is None:
            continue
        for curve in (await bench.items(program.der_curve_list_link, DERCurveList)).items:
            if not 1 <= len(curve.curve_data) <= _MOST_POINTS:
                points = len(curve.curve_data)
                raise PermanentError(f"{curve.href}: {points} points, 1 to 10 are allowed")
            found += 1
    if not found:
        raise NotApplicableError("no program has a curve")
    return f"{found} curves read"


async def controls(bench: Bench) -> str:
    """CORE-013: every control of every program, each one whole and with its own mRID."""
    count, programs = 0, 0
    async for program in programs_of(bench):
        found = await controls_of(bench, program)
        if len({one.canonical_mrid for one in found}) < len(found):
            raise PermanentError(f"{named(program)}: two controls with one mRID")
        programs, count = programs + 1, count + len(found)
    return f"{count} controls in {programs} programs"


async def whole_page(bench: Bench) -> str:
    """BASIC-002: a page of 255 items may be asked for."""
    most = 0
    for link in await assignments(bench):
        page = await bench.transport.get(
            with_page(link.href, 0, _WHOLE_PAGE), FunctionSetAssignmentsList
        )
        if page.all and not page.items:
            raise PermanentError(f"{link.href}?l=255: no item of {page.all}")
        most = max(most, page.all or len(page.items))
    return f"l=255 taken; at most {most} groups a device"


# --- what several of them walk -----------------------------------------------------------------


def named(program: DERProgram) -> str:
    """A program, for people."""
    return program.description or program.canonical_mrid


async def assignments(bench: Bench) -> Sequence[Link]:
    """Where the groups of every configured device are.

    Raises:
        NotApplicableError: a device has no such list.
    """
    return [
        needed(one.function_set_assignments_list_link, f"FunctionSetAssignments of {one.href}")
        for _, one in await bench.devices()
    ]


async def program_lists(bench: Bench) -> AsyncIterator[DERProgramList]:
    """The DERProgramLists of all groups, each once."""
    seen: set[str] = set()
    for assigned in await assignments(bench):
        for group in (await bench.items(assigned, FunctionSetAssignmentsList)).items:
            link = group.der_program_list_link
            if link is not None and link.href not in seen:
                seen.add(link.href)
                yield await bench.items(link, DERProgramList)


async def programs_of(bench: Bench) -> AsyncIterator[DERProgram]:
    """Every program of all groups, each once."""
    seen: set[str] = set()
    async for listed in program_lists(bench):
        for program in listed.items:
            if program.canonical_mrid not in seen:
                seen.add(program.canonical_mrid)
                yield program


async def controls_of(bench: Bench, program: DERProgram) -> Sequence[DERControl]:
    """Every control of a program that can be read."""
    link = program.der_control_list_link
    return () if link is None else (await bench.items(link, DERControlList)).items
