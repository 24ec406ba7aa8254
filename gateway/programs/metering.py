"""Whether a program that is settled on revenue meters has them at its sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.device_class import DeviceClass
from gateway.domain.metering.interval import Register
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.portfolio import Site
from gateway.domain.program.measuring import MeasuredBy
from gateway.programs.entry import EnrolmentEntry, ProgramEntry


def check_meters(program: ProgramEntry, sites: Mapping[str, Site]) -> None:
    """Meters that enrolments name are there, and those a program is settled on make one load.

    Raises:
        ValueError: they are not; the message says which and what to do.
    """
    for entry in program.enrolments:
        meters = _chosen(program, entry, sites[entry.site_id])
        if program.measured_by is MeasuredBy.REVENUE_METER:
            _check_load(program, entry, meters)


def _chosen(program: ProgramEntry, entry: EnrolmentEntry, site: Site) -> Sequence[SiteMeter]:
    unknown = set(entry.meters) - {one.name for one in site.meters}
    if unknown:
        raise ValueError(f"{_where(program, entry)} names meters it has not: {sorted(unknown)}")
    return [one for one in site.meters if not entry.meters or one.name in entry.meters]


def _check_load(program: ProgramEntry, entry: EnrolmentEntry, meters: Sequence[SiteMeter]) -> None:
    where = _where(program, entry)
    if not meters:
        raise ValueError(f"{where} is measured by revenue meters: give the site `meters`")
    classes = frozenset(program.device_classes)
    if classes and not entry.meters and not classes >= {DeviceClass.EVSE, DeviceClass.STORAGE}:
        raise ValueError(f"{where}: say by `meters` of the enrolment which count these devices")
    registers = {one.rules.register for one in meters}
    if Register.NET in registers and len(registers) > 1:
        raise ValueError(
            f"{where}: a net register beside import or export counts twice; say by `meters` of "
            "the enrolment which"
        )
    interval = program.program().measurement_interval
    for one in meters:
        if interval % one.rules.length:
            raise ValueError(
                f"{where}: measurement_interval {interval} is no multiple of the "
                f"{one.rules.length} of meter {one.name!r}"
            )


def _where(program: ProgramEntry, entry: EnrolmentEntry) -> str:
    return f"program {program.program_id!r}, site {entry.site_id!r}"
