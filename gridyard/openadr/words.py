"""What a message says, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum

from contracts.openadr import codec
from contracts.openadr.payloads import (
    CreatedEvent,
    CreateReport,
    DistributeEvent,
    OadrEvent,
    Payload,
    RegisterReport,
    Report,
    ReportRequest,
    Signal,
    SignalInterval,
    Target,
    UpdateReport,
)
from gridyard.openadr.diagnosis import CODES, printable

_MOST = 12
"""Of a long list, so many are shown."""


def describe(payload: Payload) -> list[str]:
    """The message, indented by what belongs to what; nothing in it can move a cursor."""
    return [printable(line, 500) for line in _described(payload)]


def _described(payload: Payload) -> Iterator[str]:
    name = codec.message_name(payload)
    match payload:
        case DistributeEvent():
            yield from _distribution(payload)
        case CreatedEvent():
            yield from _opts(payload)
        case CreateReport(requests=requests):
            yield f"{name}, request {payload.request_id!r}"
            for request in requests[:_MOST]:
                yield from _request(request)
        case RegisterReport(reports=reports) | UpdateReport(reports=reports):
            yield f"{name}, request {payload.request_id!r}: {len(reports)} reports"
            for report in reports[:_MOST]:
                yield from _report(report)
        case _:
            yield name
            yield from _fields(payload, 1)


def _distribution(message: DistributeEvent) -> Iterator[str]:
    known = _count(message.events)
    yield f"oadrDistributeEvent of {message.vtn_id}, request {message.request_id!r}: {known}"
    for event in message.events:
        yield from _event(event)
    for bad in message.rejected:
        yield f"  {bad.event_id}, modification {bad.modification_number}: {bad.reason}"


def _opts(message: CreatedEvent) -> Iterator[str]:
    yield f"oadrCreatedEvent of {message.ven_id}: {_code(message.response.code)}"
    for one in message.event_responses:
        what = f"{one.event_id}, modification {one.modification_number}"
        yield f"  {what}: {one.opt_type.value}, {_code(one.code)} {one.description or ''}"


def _event(event: OadrEvent) -> Iterator[str]:
    about, window = event.descriptor, event.active_period.window
    until = "further notice" if window.end is None else _time(window.end)
    test = ", a TEST" if about.is_test else ""
    what = f"{about.event_id}, modification {about.modification_number}, {about.status.value}{test}"
    yield f"  {what}: {_time(window.start)} until {until}"
    if event.active_period.start_after:
        yield f"    start moved by a random part of {_span(event.active_period.start_after)}"
    priority = about.priority or "none"
    yield f"    market context {about.market_context}, priority {priority}, {_for(event.target)}"
    for signal in event.signals[:_MOST]:
        yield f"    {_signal(signal)}"
    yield f"    answer wanted: {event.response_required.value}"


def _signal(signal: Signal) -> str:
    unit = ""
    if signal.item is not None:
        scale = "" if signal.item.si_scale_code == "none" else signal.item.si_scale_code
        unit = f" in {scale}{signal.item.units}"
    shown = ", ".join(_step(step) for step in signal.intervals[:_MOST])
    more = f", and {len(signal.intervals) - _MOST} more" if len(signal.intervals) > _MOST else ""
    addressed = "" if signal.target.everyone else f" ({_for(signal.target)})"
    return f"{signal.name}/{signal.type}{unit}{addressed}: {shown or 'no interval'}{more}"


def _step(step: SignalInterval) -> str:
    return f"{step.value:g} {f'for {_span(step.duration)}' if step.duration else 'to the end'}"


def _request(request: ReportRequest) -> Iterator[str]:
    wanted = request.specifier
    pace = (
        f"values each {_span(wanted.granularity)}, sent each {_span(wanted.report_back_duration)}"
    )
    yield f"  {request.report_request_id}: {wanted.report_specifier_id}, {pace}"
    if wanted.window is not None:
        length = _span(wanted.window.duration) if wanted.window.duration else "without end"
        yield f"    from {_time(wanted.window.start)}, {length}"
    left = len(wanted.payloads) - _MOST
    points = ", ".join(point.r_id for point in wanted.payloads[:_MOST])
    yield f"    points: {points}{f' and {left} more' if left > 0 else ''}"


def _report(report: Report) -> Iterator[str]:
    yield (
        f"  {report.name or 'report'} {report.report_specifier_id}, "
        f"request {report.report_request_id}: {len(report.descriptions)} points described, "
        f"{len(report.intervals)} intervals of data"
    )
    for point in report.descriptions[:_MOST]:
        yield f"    {point.r_id}: {point.report_type}, {point.reading_type}"
    for interval in report.intervals[:_MOST]:
        at = "" if interval.start is None else f"{_time(interval.start)}: "
        values = (f"{p.r_id} {_plain(p.value)}" for p in interval.payloads[:_MOST])
        feeds = ("Green Button data" for _ in interval.green_button)
        yield f"    {at}{', '.join((*values, *feeds))}"


def _fields(value: object, depth: int) -> Iterator[str]:
    """Whatever is set in a payload without words of its own."""
    for field in fields(value):  # type: ignore[arg-type] # callers hand in dataclasses
        content, pad = getattr(value, field.name), "  " * depth
        name = field.name.replace("_", " ")
        if content is None or (isinstance(content, str | tuple) and not content):
            continue
        if is_dataclass(content):
            yield f"{pad}{name}"
            yield from _fields(content, depth + 1)
        elif isinstance(content, tuple) and is_dataclass(content[0]):
            for item in content[:_MOST]:
                yield f"{pad}{name}"
                yield from _fields(item, depth + 1)
        elif name == "code":
            yield f"{pad}{name}: {_code(content)}"
        else:
            yield f"{pad}{name}: {_plain(content)}"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_plain(one) for one in value[:_MOST])
    if is_dataclass(value):
        inner = (
            (field.name.replace("_", " "), getattr(value, field.name)) for field in fields(value)
        )
        return " ".join(f"{name} {_plain(one)}" for name, one in inner if one is not None)
    return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case datetime():
            return _time(value)
        case timedelta():
            return _span(value)
        case Enum():
            return str(value.value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _code(code: int) -> str:
    return f"{code} ({CODES[code]})" if code in CODES else str(code)


def _count(events: tuple[OadrEvent, ...]) -> str:
    return "no events" if not events else f"{len(events)} event{'s' if len(events) > 1 else ''}"


def _for(target: Target) -> str:
    if target.everyone:
        return "for everyone"
    named = (
        f"{field.name.replace('_', ' ')} {_plain(getattr(target, field.name))}"
        for field in fields(target)
        if getattr(target, field.name)
    )
    return f"for {'; '.join(named)}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _span(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"{seconds / 60:g} min" if seconds % 60 == 0 and seconds else f"{seconds:g} s"
