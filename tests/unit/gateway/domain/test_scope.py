"""Whose load a request is about, and on which meter it is counted."""

from collections.abc import Callable

import pytest

from contracts.device_class import DeviceClass
from contracts.site_link import points
from gateway.domain.event import GridEvent
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


def test_each_is_counted_on_its_own_meter() -> None:
    assert Scope.SITE.point == points.PCC_POWER_W
    assert Scope.CHARGING.point == points.CHARGING_POWER_W
    assert Scope.STORAGE.point == points.BATTERY_POWER_W


def test_only_chargers_and_batteries_alone_have_no_kw_in_common() -> None:
    assert Scope.CHARGING.apart_from(Scope.STORAGE)
    assert not Scope.CHARGING.apart_from(Scope.CHARGING)
    assert not Scope.SITE.apart_from(Scope.STORAGE)
    assert not Scope.CHARGING.apart_from(Scope.SITE)
