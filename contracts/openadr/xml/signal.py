"""Signals and baselines of events in XML."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.errors import ProtocolError
from contracts.openadr import values, words
from contracts.openadr.payloads.event import Baseline, Signal, SignalInterval
from contracts.openadr.tolerance import Tolerance, tolerate
from contracts.openadr.xml import common
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, node, nodes
from contracts.openadr.xml.target import read_target, target
from contracts.openadr.xml.units import item, read_item

_ZERO = timedelta(0)

# --- building ----------------------------------------------------------------------------------


def signal(s: Signal) -> Markup:
    """`eiEventSignal`."""
    current = None if s.current_value is None else _payload_float(s.current_value)
    return node(
        "ei:eiEventSignal",
        _intervals(s.intervals),
        None if s.target.everyone else target(s.target),
        node("ei:signalName", words.signal_name(s.name)),
        node("ei:signalType", words.SignalType(s.type)),
        node("ei:signalID", s.signal_id),
        item(s.item),
        None if current is None else node("ei:currentValue", current),
    )


def baseline(b: Baseline | None) -> Markup | None:
    """`eiEventBaseline`, if there is one."""
    if b is None:
        return None
    return node(
        "ei:eiEventBaseline",
        common.start(b.start),
        common.duration("xcal:duration", b.duration),
        _intervals(b.intervals),
        node("ei:baselineID", b.baseline_id),
        *nodes("ei:resourceID", b.resource_ids),
        node("ei:baselineName", b.name),
        item(b.item),
    )


def _intervals(intervals: tuple[SignalInterval, ...]) -> Markup:
    return node("strm:intervals", *xml.some("interval", map(_interval, intervals)))


def _interval(i: SignalInterval) -> Markup:
    return node(
        "ei:interval",
        common.start(i.start),
        common.duration("xcal:duration", i.duration),
        common.uid(i.uid),
        node("ei:signalPayload", _payload_float(i.value)),
    )


def _payload_float(value: float) -> Markup:
    return node("ei:payloadFloat", node("ei:value", values.format_number(value)))


# --- reading -----------------------------------------------------------------------------------


def check_span(name: str, start: datetime, duration: timedelta) -> None:
    """Check a span of an event.

    Raises:
        ProtocolError: negative, or it ends beyond what a datetime can hold.
    """
    if duration < _ZERO:
        raise ProtocolError(f"{name}: the duration is negative")
    try:
        _ = start + duration
    except OverflowError as error:
        raise ProtocolError(f"{name}: ends after the year 9999") from error


def read_baseline(e: Element) -> Baseline:
    """`eiEventBaseline`."""
    start, duration = common.read_start(e), common.read_duration(e, "xcal:duration")
    check_span("eiEventBaseline", start, duration)
    return Baseline(
        start=start,
        duration=duration,
        intervals=_read_intervals(e),
        baseline_id=xml.text(e, "ei:baselineID"),
        resource_ids=xml.texts(e, "ei:resourceID"),
        name=xml.text(e, "ei:baselineName"),
        item=read_item(e),
    )


def _read_intervals(e: Element) -> tuple[SignalInterval, ...]:
    intervals = xml.child(e, "strm:intervals")
    return tuple(map(_read_interval, xml.some_children(intervals, "ei:interval")))


def read_signal(e: Element) -> Signal:
    """`eiEventSignal`."""
    current = xml.maybe_child(e, "ei:currentValue")
    return Signal(
        name=_read_signal_name(e),
        type=xml.text(e, "ei:signalType").strip(),
        signal_id=xml.text(e, "ei:signalID"),
        intervals=_read_intervals(e),
        item=read_item(e),
        target=read_target(xml.maybe_child(e, "ei:eiTarget")),
        current_value=None if current is None else _read_payload_float(current),
    )


def _read_signal_name(e: Element) -> str:
    """Any name: a VEN answers those it does not know with 460."""
    name = xml.text(e, "ei:signalName").strip()
    if name != "simple":
        return name
    tolerate(Tolerance.LOWER_CASE_SIMPLE, name)
    return words.SignalName.SIMPLE.value


def _read_interval(e: Element) -> SignalInterval:
    duration = common.maybe_read_duration(e, "xcal:duration")
    if duration is not None and duration < _ZERO:
        raise ProtocolError("interval: the duration is negative")
    payload, *more = xml.some_children(e, "ei:signalPayload")
    if more:
        raise ProtocolError(f"interval: {1 + len(more)} values instead of one")
    return SignalInterval(
        start=common.maybe_read_start(e),
        uid=common.maybe_read_uid(e),
        duration=duration,
        value=_read_payload_float(payload),
    )


def _read_payload_float(e: Element) -> float:
    return xml.value(xml.child(e, "ei:payloadFloat"), "ei:value", values.parse_number)
