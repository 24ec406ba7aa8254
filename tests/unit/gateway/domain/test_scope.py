"""Whose load a request is about, and on which meter it is counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.device_class import DeviceClass
from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.event import GridEvent, SignalKind
from gateway.domain.program import Program
from gateway.domain.scope import Scope, scope_of

EVSE, STORAGE, PV = DeviceClass.EVSE, DeviceClass.STORAGE, DeviceClass.PV
Event = Callable[..., GridEvent]


@pytest.mark.parametrize(
    ("named", "by_program", "scope"),
    [
        ((), (), Scope.SITE),
        ((), (EVSE,), Scope.CHARGING),
        ((EVSE,), (), Scope.CHARGING),
        ((EVSE, PV), (), Scope.CHARGING),
        ((STORAGE,), (EVSE,), Scope.STORAGE),  # the event's word goes before its program's
        ((EVSE, STORAGE), (), Scope.SITE),  # nothing else could lower the import
        ((PV,), (), Scope.NOTHING),
    ],
)
def test_classes_of_event_and_program(
    event: Event,
    named: tuple[DeviceClass, ...],
    by_program: tuple[DeviceClass, ...],
    scope: Scope,
) -> None:
    program = Program(program_id="p1", name="P", utility_id="u1", device_classes=by_program)
    assert scope_of(event(device_classes=named), program) is scope


LIMIT, DELTA, SETPOINT = SignalKind.EXPORT_LIMIT_W, SignalKind.DELTA_W, SignalKind.SETPOINT_W


@pytest.mark.parametrize(
    ("kind", "value", "named", "scope"),
    [
        (LIMIT, 0.0, (), Scope.EXPORT),
        (LIMIT, 9.0, (EVSE,), Scope.EXPORT),  # whatever its program is about
        (SignalKind.GENERATION_LIMIT_W, 0.0, (), Scope.GENERATION),
        (DELTA, 5.0, (PV,), Scope.GENERATION),  # more load of inverters is less generation
        (DELTA, -5.0, (PV,), Scope.NOTHING),
        (SETPOINT, -5.0, (PV,), Scope.GENERATION),
        (SETPOINT, 5.0, (PV,), Scope.NOTHING),
        (SignalKind.IMPORT_LIMIT_W, 5.0, (PV,), Scope.NOTHING),
        (SignalKind.LEVEL, 2.0, (PV,), Scope.NOTHING),
        (DELTA, 5.0, (), Scope.SITE),
    ],
)
def test_what_is_asked_decides_about_exports_and_generation(
    event: Event, kind: SignalKind, value: float, named: tuple[DeviceClass, ...], scope: Scope
) -> None:
    asked = event(kind=kind, values=[(0, 60, value)], device_classes=named)
    assert scope_of(asked, None) is scope


def test_what_leaves_is_counted_with_its_sign_turned_and_back() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    load = StepSeries.of([(Interval.lasting(at, timedelta(hours=1)), -7.0)])
    assert Scope.EXPORT.counted(load).value_at(at) == 7.0
    assert Scope.EXPORT.counted(Scope.EXPORT.counted(load)) == load
    assert Scope.SITE.counted(load) == load
    reading = Reading(value=-7.0, quality=Quality.GOOD, at=at)
    assert Scope.GENERATION.read(reading) == replace(reading, value=7.0)
    assert Scope.GENERATION.read(Reading.missing(at)) == Reading.missing(at)
    assert Scope.GENERATION.read(None) is None


def test_each_is_counted_on_its_own_meter() -> None:
    assert Scope.EXPORT.point == points.PCC_POWER_W
    assert Scope.GENERATION.point == points.GENERATION_POWER_W
    assert Scope.SITE.point == points.PCC_POWER_W
    assert Scope.CHARGING.point == points.CHARGING_POWER_W
    assert Scope.STORAGE.point == points.BATTERY_POWER_W


def test_which_requests_have_no_kw_in_common() -> None:
    assert Scope.CHARGING.apart_from(Scope.STORAGE)
    assert not Scope.CHARGING.apart_from(Scope.CHARGING)
    assert not Scope.SITE.apart_from(Scope.STORAGE)
    assert Scope.EXPORT.apart_from(Scope.SITE)  # what is kept from leaving lowers no import
    assert Scope.STORAGE.apart_from(Scope.GENERATION)
    assert not Scope.EXPORT.apart_from(Scope.GENERATION)
    assert not Scope.CHARGING.apart_from(Scope.SITE)
