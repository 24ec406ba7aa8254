from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.device_class import DeviceClass
from contracts.openadr.payloads import ItemBase, Signal, SignalInterval, Target
from contracts.time import Interval
from gateway.domain.event import GridEvent, SignalKind
from gateway.utility.openadr.mapping import (
    Addressee,
    UnusableEventError,
    grid_event,
)
from support.openadr import START, oadr_event

US = Addressee(ven_id="ven-1")


def mapped(**changes: Any) -> GridEvent:
    return grid_event(oadr_event(**changes), utility_id="util", us=US)


def signal(name: str, kind: str, *values: float, item: ItemBase | None = None) -> Signal:
    steps = tuple(
        SignalInterval(uid=str(n), duration=timedelta(minutes=30), value=v)
        for n, v in enumerate(values)
    )
    return Signal(name=name, type=kind, signal_id="s", intervals=steps, item=item)


def test_a_delta_in_kw_becomes_watts_with_the_same_sign() -> None:
    event = mapped()
    assert event.key == "util/e1"
    assert [(s.kind, [step.value for step in s.series]) for s in event.signals] == [
        (SignalKind.DELTA_W, [-60_000.0, -30_000.0])
    ]
    assert event.window == Interval.lasting(START, timedelta(hours=1))


@pytest.mark.parametrize(
    ("scale", "watts"), [("none", 5.0), ("k", 5e3), ("M", 5e6)], ids=["W", "kW", "MW"]
)
def test_the_scale_code_is_obeyed(scale: str, watts: float) -> None:
    setpoint = signal("LOAD_DISPATCH", "setpoint", 5.0, 5.0, item=ItemBase.power_real(scale))
    (found,) = mapped(signals=(setpoint,)).signals
    assert found.kind is SignalKind.SETPOINT_W
    assert found.series.steps[0].value == watts


def test_an_open_ended_event_keeps_its_last_step_open() -> None:
    level = Signal(
        name="simple",  # seen in lower case in the field
        type="level",
        signal_id="s",
        intervals=(SignalInterval(uid="0", duration=timedelta(0), value=2.0),),
    )
    event = mapped(signals=(level,), duration=timedelta(0))
    assert event.window.end is None
    assert event.signals[0].series.value_at(START + timedelta(days=400)) == 2.0


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"signals": (signal("X-OWN", "x-own", 1.0),)}, 460),
        ({"signals": ()}, 460),
        ({"signals": (signal("SIMPLE", "level", 4.0),)}, 454),
        ({"signals": (signal("LOAD_DISPATCH", "delta", 1.0),)}, 454),
        (
            {
                "signals": (
                    signal("LOAD_DISPATCH", "delta", 1.0, item=ItemBase(kind="voltage", units="V")),
                )
            },
            454,
        ),
        ({"target": Target(ven_ids=("someone-else",))}, 462),
    ],
    ids=["unknown signal", "no signal", "level 4", "no unit", "volts", "other VEN"],
)
def test_what_we_cannot_act_on_is_refused_with_its_code(
    event: dict[str, object], code: int
) -> None:
    with pytest.raises(UnusableEventError) as refused:
        mapped(**event)
    assert refused.value.code == code


def test_targets_are_or_ed_and_resources_are_kept_for_the_intake() -> None:
    assert mapped(target=Target(ven_ids=("x", "ven-1"))).targets == ()
    event = mapped(target=Target(ven_ids=("x",), resource_ids=("depot-1",), group_ids=("north",)))
    assert event.targets == ("depot-1", "north")


@pytest.mark.row("portfolio:A5")
@pytest.mark.parametrize(
    ("assets", "classes"),
    [
        ((), ()),
        (("Electric_Vehicle",), (DeviceClass.EVSE,)),
        (("EVSE", "Storage"), (DeviceClass.EVSE, DeviceClass.STORAGE)),
        (("Smart_Inverter", "Water_Heater"), (DeviceClass.PV,)),
    ],
)
def test_the_device_classes_of_the_signal_we_act_on_are_kept(
    assets: tuple[str, ...], classes: tuple[DeviceClass, ...]
) -> None:
    base = oadr_event()
    acted_on = replace(base.signals[0], target=Target(end_device_assets=assets))
    price = replace(base.signals[0], name="ELECTRICITY_PRICE", type="price")
    assert mapped(signals=(price, acted_on)).device_classes == classes


def test_a_class_that_no_depot_has_is_for_others() -> None:
    heaters = replace(oadr_event().signals[0], target=Target(end_device_assets=("Water_Heater",)))
    with pytest.raises(UnusableEventError) as refused:
        mapped(signals=(heaters,))
    assert refused.value.code == 460


def test_unsupported_signals_beside_a_supported_one_are_left_out() -> None:
    base = oadr_event()
    event = replace(base, signals=(signal("X-OWN", "x-own", 1.0), *base.signals))
    assert len(grid_event(event, utility_id="u", us=US).signals) == 1
