"""What came of a procedure, seen from the server: every expectation that was not met, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from contracts.sep2.codes import FlowDirection, RoleFlag, Uom
from contracts.sep2.resources import DERCapability, DERSettings, Resource, Scaled
from vtn_sim.sep2.exchanges import Exchange, Exchanges
from vtn_sim.sep2.mirrors import Mirror
from vtn_sim.sep2.procedures import AGGREGATOR, EVERYONE, Codes, Expected, Procedure
from vtn_sim.sep2.utility import Utility

_CREATED, _BAD_REQUEST = 201, 400
_REFUSED: Codes = (1, 252)
_ALL = 1 << 30
_NOTIFY = "NOTIFY"


def shortcomings(
    procedure: Procedure, utility: Utility, exchanges: Exchanges, *, refused: Collection[str] = ()
) -> list[str]:
    """What the client should have done and did not, or did and should not have; empty: it passed.

    `refused`: events (`*` is all) of a procedure with `optional_modes` whose modes the devices
    lack, so that they must be answered 252 instead of being run.
    """
    expect = procedure.expect
    everything = exchanges.last(_ALL)
    requests = [one for one in everything if one.method != _NOTIFY]
    if not expect.admitted:
        return [f"{len(requests)} requests, though the client should not go on"] * bool(requests)
    return [
        *_manners(requests),
        *_responses(procedure, utility, refused if procedure.optional_modes else ()),
        *_requests(expect, exchanges.counts),
        *_subscriptions(expect, utility, [one for one in everything if one.method == _NOTIFY]),
        *_told(expect, utility),
        *_log_events(procedure, utility),
        *_readings(procedure, utility),
    ]


def _manners(requests: Sequence[Exchange]) -> Iterator[str]:
    """What holds whatever the procedure."""
    if not requests:
        yield "no request at all"
        return
    if requests[0].kind != "DeviceCapability":
        yield f"the first request is for {requests[0].kind or requests[0].path}"
    for one in requests:
        if not one.kind:
            yield f"{one.method} {one.path}: not from a link"


def _responses(procedure: Procedure, utility: Utility, refused: Collection[str]) -> Iterator[str]:
    labels = {lfdi: label for label, lfdi in procedure.lfdis.items()}
    came: dict[tuple[str, str], list[int | None]] = {}
    for one in utility.received.responses():
        event, label = utility.controls.by_mrid(one.subject), labels.get(one.lfdi, one.lfdi)
        name = one.subject if event is None else event.name
        if one.problem is not None:
            yield f"{name}: a Response of {label} was refused: {one.problem}"
        else:
            came.setdefault((name, label), []).append(one.resource.status)
    due = _due(procedure, refused, [event.name for event in utility.controls.all()])
    for key in sorted(came.keys() | due.keys()):
        if not _fits(came.get(key, []), due.get(key, ())):
            said, wanted = came.get(key, []), list(due.get(key, ()))
            yield f"{key[0]}: {key[1]} answered {said}, not {wanted}"


def _due(
    procedure: Procedure, refused: Collection[str], events: Sequence[str]
) -> Mapping[tuple[str, str], Codes]:
    """Codes by event and device."""
    due: dict[tuple[str, str], Codes] = {}
    for event in events:
        declined = any(fnmatchcase(event, pattern) for pattern in refused)
        for label, codes in procedure.expect.answers(event).items():
            for one in procedure.lfdis if label == EVERYONE else (label,):
                due[event, one] = _REFUSED if declined else codes
    return due


def _fits(came: Sequence[int | None], due: Codes) -> bool:
    return len(came) == len(due) and all(
        code in wanted if isinstance(wanted, tuple) else code == wanted
        for code, wanted in zip(came, due, strict=True)
    )


def _requests(expect: Expected, counts: Mapping[str, int]) -> Iterator[str]:
    for name, wanted in expect.requests.items():
        least, most = wanted if isinstance(wanted, tuple) else (wanted, _ALL)
        if not least <= counts.get(name, 0) <= most:
            span = f"{least} to {most}" if most < _ALL else f"at least {least}"
            yield f"{counts.get(name, 0)} x {name}, not {span}"


def _subscriptions(
    expect: Expected, utility: Utility, notifications: Sequence[Exchange]
) -> Iterator[str]:
    held = {one.topic[0] for one in utility.subscriptions.all()}
    if expect.subscribed is not None and held != set(expect.subscribed):
        yield f"subscribed to {sorted(held)}, not {sorted(expect.subscribed)}"
    taken = {one.kind for one in notifications if one.status == _CREATED}
    missing = set(expect.notified) - taken
    if missing:
        yield f"no Notification was sent and taken of {sorted(missing)}"
    for one in notifications:
        if one.status >= _BAD_REQUEST:
            yield f"a Notification of {one.kind} was answered {one.status}"


def _told(expect: Expected, utility: Utility) -> Iterator[str]:
    for device in utility.devices.managed:
        told = {kind: one.resource for (_, kind), one in device.told.items()}
        for kind, fields in expect.told.items():
            if kind not in told:
                yield f"{device.label} has not told its {kind}"
                continue
            missing = [name for name in fields if getattr(told[kind], name) is None]
            if missing:
                yield f"{device.label}: {kind} without {', '.join(missing)}"
        yield from (f"{device.label}: {fault}" for fault in _beyond(told))


def _beyond(told: Mapping[str, Resource]) -> Iterator[str]:
    """Settings beyond their ratings (CSIP CORE-009)."""
    rated, chosen = told.get("DERCapability"), told.get("DERSettings")
    if not isinstance(rated, DERCapability) or not isinstance(chosen, DERSettings):
        return
    for name in type(rated).__dataclass_fields__:
        most = getattr(rated, name)
        value = getattr(chosen, name.replace("rtg_", "set_", 1), None)
        if isinstance(most, Scaled) and isinstance(value, Scaled) and value.number > most.number:
            yield f"{name} is {most.number:g}, but set to {value.number:g}"


def _log_events(procedure: Procedure, utility: Utility) -> Iterator[str]:
    for label, least in procedure.expect.log_events.items():
        count = len(utility.received.log_events(procedure.lfdis[label]))
        if count < least:
            yield f"{count} LogEvents of {label}, not {least}"


def _readings(procedure: Procedure, utility: Utility) -> Iterator[str]:
    mirrors = utility.mirrors.all()
    own = {one.lfdi for one in utility.devices.all() if one.is_aggregator}
    for label, units in procedure.expect.readings.items():
        whose = own if label == AGGREGATOR else {procedure.lfdis[label]}
        read = {
            quantity.reading_type.uom
            for mirror in mirrors
            for quantity in mirror.quantities.values()
            if mirror.lfdi in whose and quantity.samples and quantity.reading_type is not None
        }
        missing = set(units) - read
        if missing:
            yield f"no readings of {label} in unit {sorted(missing)}"
    if AGGREGATOR in procedure.expect.readings:
        yield from _sums(
            [mirror for mirror in mirrors if mirror.lfdi in own],
            [m for m in mirrors if m.lfdi not in own and not m.resource.role_flags & _PREMISES],
        )


_PREMISES = int(RoleFlag.PREMISES_AGGREGATION_POINT)
_ROUNDING_W = 1.0


def _sums(wholes: Sequence[Mirror], parts: Sequence[Mirror]) -> Iterator[str]:
    """An aggregator tells the sum of its DERs (CSIP BASIC-029)."""
    whole, each = _net_w(wholes), _net_w(parts)
    for start in sorted(whole.keys() & each.keys()):
        if abs(whole[start] - each[start]) > _ROUNDING_W * len(parts):
            yield f"at {start:%H:%M:%S} {whole[start]:g} W, but the DERs {each[start]:g} W"


def _net_w(mirrors: Sequence[Mirror]) -> dict[datetime, float]:
    """What is delivered to the customer less what is received, by start."""
    net: dict[datetime, float] = {}
    for quantity in (one for mirror in mirrors for one in mirror.quantities.values()):
        kind = quantity.reading_type
        if kind is not None and kind.uom == Uom.WATT:
            sign = 1 if kind.flow_direction == FlowDirection.FORWARD else -1
            for sample in quantity.series:
                net[sample.start] = net.get(sample.start, 0.0) + sign * sample.value
    return net
