"""Events, opts and reports of a running gateway in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from contracts.openadr.payloads import OptType
from gateway.utility.openadr.memory import Registration, VenMemory
from gateway.utility.openadr.opts import OptLane
from gateway.utility.openadr.reports.records import ReportTask
from gridyard.openadr.diagnosis import printable
from gridyard.openadr.running import RunningGateway

_TELLING = ("create", "cancel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opts:
    """What we have said about taking part."""

    events: Sequence[dict[str, Any]]
    lanes: Mapping[str, OptLane]
    """Opts told by EiOpt, by the event or schedule they are about."""

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        names = ("event_id", "modification", "opt", "opt_cause", "opted_out_sites")
        return {
            "answers": [{name: one[name] for name in names} for one in self.events],
            "opts": _dumped(self.lanes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What the utility gets from us."""

    registration: Registration | None
    tasks: Mapping[str, ReportTask]

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        registered = self.registration
        return {
            "ven_id": registered.ven_id if registered else None,
            "reports": _dumped(self.tasks),
        }


async def opts(gateway: RunningGateway) -> Opts:
    """Our answers to events, and what was told since.

    Raises:
        LinkDownError: no gateway answers.
    """
    memory = VenMemory(gateway, gateway.utility_id)
    return Opts(events=await gateway.events(), lanes=await memory.all(OptLane))


async def reports(gateway: RunningGateway) -> Reports:
    """The reports the utility has asked for.

    Raises:
        LinkDownError: no gateway answers.
    """
    memory = VenMemory(gateway, gateway.utility_id)
    return Reports(registration=await memory.registration(), tasks=await memory.all(ReportTask))


def event_lines(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Events for people."""
    if not events:
        yield "no event"
    for one in events:
        test = " TEST" if one["test"] else ""
        until = one["end"] or "further notice"
        yield _line(
            f"{one['event_id']} (modification {one['modification']}){test}: {one['status']}"
        )
        yield _line(f"  {one['start']} until {until}, program {one['program_id']}")
        for signal in one["signals"]:
            steps = ", ".join(f"{step['value']:g}" for step in signal["steps"][:12])
            yield _line(f"  {signal['kind']} in {signal['unit']}: {steps}")
        yield _line(f"  {one['opt']}: {one['opt_cause']}{_out(one)}")


def opt_lines(found: Opts) -> Iterator[str]:
    """Opts for people."""
    if not found.events and not found.lanes:
        yield "nothing was asked, nothing was told"
    for one in found.events:
        yield _line(f"{one['event_id']}: {one['opt']}, {one['opt_cause']}{_out(one)}")
    for key, lane in found.lanes.items():
        for told in lane.told:
            who = told.site_id or "the whole VEN"
            opt = OptType.IN if told.opt_in else OptType.OUT
            yield _line(f"told about {key}: {opt.value} of {who}, optID {told.opt_id}")
        for what in _TELLING:
            waiting = len(getattr(lane, what))
            if waiting:
                yield _line(f"about {key}: {waiting} to {what}, not yet on their way")


def report_lines(found: Reports) -> Iterator[str]:
    """Reports for people."""
    if found.registration is None:
        yield "not registered"
    else:
        yield _line(f"registered as {found.registration.ven_id}")
    if not found.tasks:
        yield "the utility has asked for no report"
    for key, task in found.tasks.items():
        wanted = task.request.specifier
        every, back = (
            wanted.granularity.total_seconds(),
            wanted.report_back_duration.total_seconds(),
        )
        points = ", ".join(point.r_id for point in wanted.payloads[:6])
        more = f" and {len(wanted.payloads) - 6} more" if len(wanted.payloads) > 6 else ""  # noqa: PLR2004
        waits = "; a message is on its way" if task.ready is not None else ""
        yield _line(f"{key}: {wanted.report_specifier_id}, each {every:g} s, sent each {back:g} s")
        yield _line(f"  points {points}{more}")
        yield _line(f"  handed over until {task.sent_until:%Y-%m-%d %H:%M:%S} UTC{waits}")


def _out(event: dict[str, Any]) -> str:
    out = event["opted_out_sites"]
    return f"; out: {', '.join(out)}" if out else ""


def _line(text: str) -> str:
    return printable(text, 400)


def _dumped(documents: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: TypeAdapter(type(one)).dump_python(one, mode="json") for key, one in documents.items()
    }
