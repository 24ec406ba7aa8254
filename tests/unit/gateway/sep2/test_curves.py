"""Curves on their way from the server's lists to the sites, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from contracts.inverter import Curve, CurveKind, FixedVar, InverterFunction, Point, Reference
from contracts.sep2.resources import (
    CurveData,
    CurveLink,
    DERControl,
    DERControlResponse,
    DERCurve,
    ModeValue,
    Scaled,
)
from contracts.testing import FakeClock
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2.curves import curve_links
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.outbox import Sep2Outbox
from gateway.utility.sep2.settings import DeviceSettings
from gateway.utility.sep2.steering import Steering
from gateway.utility.sep2.view import EMPTY, ProgramView, ServerView
from support.sep2_acting import (
    T0,
    UTILITY,
    Envelopes,
    FragileMemory,
    XmlWire,
    default_control,
    der_control,
    device_settings,
    device_view,
    program,
    running,
    sep2_settings,
    server_view,
)

LINK = "/derp/1/dc/1"
FOLLOWS: dict[str, ModeValue] = {"opModVoltVar": CurveLink(href=LINK)}
LIMIT: dict[str, ModeValue] = {"opModImpLimW": Scaled.of(20_000)}
DEVICE = device_settings(inverter_modes=["opModVoltVar", "opModTargetVar"])


def volt_var(percent: int = 44, points: int = 2, curve_type: int = 11) -> DERCurve:
    data = (CurveData(x_value=90 + n, y_value=percent - 2 * n) for n in range(points))
    return DERCurve(
        href=LINK,
        mrid="AB",
        curve_type=curve_type,
        curve_data=tuple(data),
        x_multiplier=0,
        y_multiplier=0,
        y_ref_type=2,
    )


def told(percent: float) -> SiteBounds:
    points = (Point(x=90.0, y=percent), Point(x=91.0, y=percent - 2))
    curve = Curve(kind=CurveKind.VOLT_VAR, points=points, reference=Reference.MAX_VAR)
    return SiteBounds(inverter_functions=(curve,))


def with_curves(found: ProgramView, *curves: DERCurve) -> ProgramView:
    return replace(found, curves={one.href or "": one for one in curves})


class Bench:
    """One utility over processes that come and go."""

    def __init__(self, *devices: DeviceSettings) -> None:
        self.devices = devices or (DEVICE,)
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.wire = XmlWire()
        self.envelopes = Envelopes()
        self.view: ServerView = EMPTY

    async def start(self) -> None:
        """A fresh process over the same memory, server and sites."""
        memory = Sep2Memory(self.memory, UTILITY)
        self.outbox = Sep2Outbox(memory, self.wire, self.wire, self.clock)
        await self.outbox.restore()
        self.steering = Steering(
            sep2_settings(*self.devices), self.envelopes, self.outbox, memory, self.clock
        )
        await self.steering.restore()

    async def sees(self, *programs: ProgramView, minutes: float = 0) -> None:
        """Every device is in these programs."""
        await self.clock.advance(minutes * 60)
        self.view = server_view(*(device_view(one, *programs) for one in self.devices))
        await self.steering.follow(self.view, self.clock.now())

    async def codes(self) -> list[int]:
        """Every Response so far."""
        async with running(self.outbox.run()):
            await self.clock.advance(10)
        return [one.status or 0 for one in self.wire.resources(DERControlResponse)]

    def now(self, site: str = "depot-1") -> SiteBounds | None:
        """What binds a site."""
        envelope = self.envelopes.imposed.get(site)
        step = None if envelope is None else envelope.at(self.clock.now())
        return None if step is None else step.bounds


async def started(*devices: DeviceSettings) -> Bench:
    bench = Bench(*devices)
    await bench.start()
    return bench


def follows(number: int = 1, modes: Mapping[str, ModeValue] = FOLLOWS, **more: Any) -> DERControl:
    return der_control(number, 0, 30, modes, **more)


@pytest.mark.row("sep2:22", "csip:P29")
async def test_a_curve_reaches_the_site_and_its_control_is_answered_like_any() -> None:
    bench = await started()
    await bench.sees(with_curves(program(1, follows()), volt_var()))
    assert bench.now() == told(44)
    envelope = bench.envelopes.imposed["depot-1"]
    assert envelope.steps[0].cause.startswith("opModVoltVar with a curve of 2 points: control ")
    await bench.sees(with_curves(program(1, follows()), volt_var()), minutes=31)
    assert bench.now() is None
    assert await bench.codes() == [1, 2, 3]


@pytest.mark.row("sep2:22", "sep2:33")
@pytest.mark.parametrize(
    ("curves", "code"),
    [
        ([], 253),
        ([volt_var(points=11)], 253),
        ([volt_var(curve_type=12)], 253),
        ([volt_var(percent=101)], 253),
    ],
)
async def test_a_curve_that_cannot_be_followed_is_answered_once(
    curves: list[DERCurve], code: int
) -> None:
    bench = await started()
    for _ in range(3):
        await bench.sees(with_curves(program(1, follows()), *curves))
    assert bench.now() is None
    assert await bench.codes() == [1, code]


@pytest.mark.row("sep2:22", "sep2:33")
async def test_who_has_no_such_inverters_says_so_and_obeys_the_rest() -> None:
    bench = await started(device_settings())
    await bench.sees(with_curves(program(1, follows(modes={**FOLLOWS, **LIMIT})), volt_var()))
    assert bench.now() == SiteBounds(import_limit_w=20_000.0)
    assert await bench.codes() == [1, 252, 2]


@pytest.mark.row("sep2:22")
async def test_a_changed_curve_is_passed_on_without_another_answer() -> None:
    bench = await started()
    await bench.sees(with_curves(program(1, follows()), volt_var(44)))
    await bench.sees(with_curves(program(1, follows()), volt_var(30)), minutes=5)
    assert bench.now() == told(30)
    assert await bench.codes() == [1, 2]


@pytest.mark.row("sep2:33")
@pytest.mark.parametrize("curves", [[], [volt_var(points=11)]])
async def test_the_last_good_curve_stays_when_it_can_no_longer_be_followed(
    curves: list[DERCurve],
) -> None:
    default = default_control(FOLLOWS)
    bench = await started()
    good = program(1, follows(), default=default)
    await bench.sees(with_curves(good, volt_var()))
    for _ in range(3):
        await bench.sees(with_curves(good, *curves))
        assert bench.now() == told(44)
    assert await bench.codes() == [1, 2, 253]
    await bench.sees(with_curves(good, *curves), minutes=31)
    assert bench.now() == told(44), "of the default"
    await bench.sees(with_curves(good, volt_var(30)))
    assert bench.now() == told(30)


async def test_a_default_without_a_curve_that_can_be_followed_binds_nothing() -> None:
    bench = await started()
    await bench.sees(program(1, default=default_control(FOLLOWS)))
    assert bench.now() is None
    await bench.sees(with_curves(program(1, default=default_control({})), volt_var()))
    assert bench.now() is None
    assert await bench.codes() == []


@pytest.mark.row("sep2:42")
async def test_a_curve_outlives_a_restart_while_the_server_is_out_of_reach() -> None:
    bench = await started()
    await bench.sees(
        with_curves(program(1, follows(), default=default_control(LIMIT)), volt_var(44))
    )
    both = replace(told(44), import_limit_w=20_000.0)
    assert bench.now() == both
    bench.envelopes.imposed.clear()
    await bench.start()
    for minutes, bounds in ((5, both), (26, SiteBounds(import_limit_w=20_000.0))):
        await bench.clock.advance(minutes * 60)
        await bench.steering.follow(EMPTY, bench.clock.now())
        assert bench.now() == bounds


@pytest.mark.row("sep2:3")
async def test_reactive_power_of_several_sites_is_shared_and_a_curve_is_for_each() -> None:
    pair = device_settings(
        sites=["depot-1", "depot-2"],
        weights=[1, 3],
        inverter_modes=["opModVoltVar", "opModTargetVar"],
    )
    bench = await started(pair)
    modes = {**FOLLOWS, "opModTargetVar": Scaled.of(8_000)}
    await bench.sees(with_curves(program(1, follows(modes=modes)), volt_var()))
    for site, var in (("depot-1", 2_000.0), ("depot-2", 6_000.0)):
        bounds = bench.now(site)
        assert bounds is not None
        shared: list[InverterFunction] = [FixedVar(var=var), *told(44).inverter_functions]
        assert list(bounds.inverter_functions) == shared


def test_links_of_the_wanted_modes_are_found_once() -> None:
    controls = [
        follows(1),
        follows(2),
        follows(3, {"opModWattVar": CurveLink(href="/other"), **LIMIT}),
        follows(4, {"opModVoltVar": Scaled.of(1)}),
    ]
    bases = [one.der_control_base for one in controls]
    assert list(curve_links(bases, frozenset({"opModVoltVar"}))) == [LINK]
    assert list(curve_links(bases, frozenset())) == []
