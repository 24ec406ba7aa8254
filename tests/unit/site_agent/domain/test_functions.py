"""Which functions an inverter should do: the newest of each slot, one mode of reactive power."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Inverters,
    Point,
    slot,
)
from contracts.site_link.messages import Fallback, InstructionState
from contracts.time import Interval
from site_agent.domain.functions import (
    PRECEDENCE,
    REACTIVE,
    Unheld,
    assign,
    functions_at,
    homeless,
)
from site_agent.domain.instruction import (
    Bounds,
    FunctionsHeld,
    Progress,
    ScheduleStep,
    SiteInstruction,
    applied,
)
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import NOON, instruction

ALL, PV, STORAGE = Inverters.ALL, Inverters.GENERATION, Inverters.STORAGE


def curve(kind: CurveKind, on: Inverters = ALL, y: float = 0.0) -> Curve:
    return Curve(kind=kind, points=(Point(x=1, y=y),), on=on)


VV, VW, WV = (curve(kind) for kind in (CurveKind.VOLT_VAR, CurveKind.VOLT_WATT, CurveKind.WATT_VAR))
TRIP = curve(CurveKind.LV_MUST_TRIP)
INJ = FixedPowerFactor(power_factor=0.9, absorbs_var=True, while_="injecting")
ABS = replace(INJ, while_="absorbing")
VAR = FixedVar(var=100.0)
DROOP = FrequencyDroop(
    over_dead_band_hz=0.1, under_dead_band_hz=0.1, over_slope=0.1, under_slope=0.1, response_s=1
)
EVERY: list[InverterFunction] = [VV, VW, WV, TRIP, INJ, ABS, VAR, DROOP]


@pytest.mark.parametrize(
    ("asked", "to", "held", "displaced"),
    [
        pytest.param([], PV, [], {}, id="nothing"),
        pytest.param([VV, VW], PV, [VV, VW], {}, id="they add"),
        pytest.param([replace(VV, on=STORAGE)], PV, [], {}, id="for the others"),
        pytest.param([replace(VV, on=PV)], PV, [replace(VV, on=PV)], {}, id="for this kind"),
        pytest.param([VV, INJ], PV, [INJ], {"volt_var": "power_factor_injecting"}, id="pf wins"),
        pytest.param([INJ, ABS], PV, [ABS, INJ], {}, id="both directions are one mode"),
        pytest.param([WV, VV], PV, [VV], {"watt_var": "volt_var"}, id="volt-var before watt-var"),
        pytest.param(
            [VAR, INJ, ABS, VV],
            STORAGE,
            [VAR],
            dict.fromkeys(
                ("power_factor_injecting", "power_factor_absorbing", "volt_var"), "fixed_var"
            ),
            id="var before all",
        ),
        pytest.param(
            [replace(VAR, on=STORAGE), VV],
            PV,
            [VV],
            {},
            id="what is not for it does not displace",
        ),
        pytest.param([VAR, VW, TRIP, DROOP], PV, [VAR, DROOP, TRIP, VW], {}, id="others stay"),
    ],
)
def test_what_one_inverter_does(
    asked: list[InverterFunction],
    to: Inverters,
    held: list[InverterFunction],
    displaced: dict[str, str],
) -> None:
    found = assign(asked, to)
    assert found.functions == tuple(held)
    assert dict(found.displaced) == displaced


def test_of_two_for_one_slot_the_later_counts_where_both_are_meant() -> None:
    newer = replace(VV, on=STORAGE, points=(Point(x=2, y=2),))
    assert assign([VV, newer], STORAGE).functions == (newer,)
    assert assign([VV, newer], PV).functions == (VV,)


@given(st.lists(st.sampled_from(EVERY), max_size=12), st.sampled_from([PV, STORAGE]))
def test_never_two_modes_and_nothing_lost_in_silence(
    asked: list[InverterFunction], to: Inverters
) -> None:
    found = assign(asked, to)
    slots = {slot(one) for one in found.functions}
    assert len(slots) == len(found.functions)
    assert sum(bool(mode & slots) for mode in PRECEDENCE) <= 1
    assert slots | dict(found.displaced).keys() == {slot(one) for one in asked}
    assert dict(found.displaced).keys() <= REACTIVE


def held(*functions: InverterFunction, seq: int = 1, event_id: str = "e1") -> SiteInstruction:
    """In force for an hour from noon."""
    hour = Interval(start=NOON, end=NOON + timedelta(hours=1))
    return SiteInstruction(
        instruction_id=f"i{seq}",
        event_id=event_id,
        site_seq=seq,
        start=NOON,
        expires_at=NOON + timedelta(hours=1),
        steps=(ScheduleStep(interval=hour, bounds=Bounds(functions=functions)),),
        fallback=Bounds(),
        progress=Progress.STARTED,
    )


class TestInForce:
    def test_events_add_in_order_of_their_number(self) -> None:
        both = [held(VW, seq=2, event_id="e2"), held(VV, TRIP)]
        assert functions_at(both, NOON) == (VV, TRIP, VW)

    def test_the_newest_of_an_event_replaces_all_of_the_older(self) -> None:
        assert functions_at([held(VV, TRIP), held(VW, seq=2)], NOON) == (VW,)

    @pytest.mark.parametrize("minutes", [-1, 60])
    def test_not_before_and_not_after(self, minutes: int) -> None:
        assert functions_at([held(VV)], NOON + timedelta(minutes=minutes)) == ()

    def test_the_fallback_has_its_own(self) -> None:
        sent = instruction(1.0, expires_at=NOON + timedelta(hours=2))
        sent = replace(sent, fallback=Fallback(inverter_functions=(VW,)))
        one = in_domain_words(sent, InstructionState.STORED)
        assert functions_at([one], NOON) == ()
        assert functions_at([one], NOON + timedelta(minutes=40)) == (VW,)


@pytest.mark.parametrize(
    ("asked", "kinds", "missing"),
    [
        ([VV], [], {"volt_var": "no inverter here (all)"}),
        ([VV], [PV], {}),
        ([replace(VV, on=STORAGE)], [PV], {"volt_var": "no inverter here (storage)"}),
        ([replace(VV, on=STORAGE)], [PV, STORAGE], {}),
    ],
)
def test_functions_without_any_inverter(
    asked: list[InverterFunction], kinds: list[Inverters], missing: dict[str, str]
) -> None:
    found = homeless(asked, kinds, "pcc")
    assert found == tuple(Unheld(subject="pcc", slot=k, reason=v) for k, v in missing.items())


class TestApplied:
    @pytest.mark.parametrize(
        ("functions", "is_applied"),
        [
            pytest.param(FunctionsHeld(settled=False), False, id="not yet"),
            pytest.param(
                FunctionsHeld(settled=False, slots=frozenset({"volt_var"})), False, id="not all"
            ),
            pytest.param(FunctionsHeld(), False, id="by nobody"),
            pytest.param(FunctionsHeld(slots=frozenset({"volt_watt"})), False, id="another"),
            pytest.param(FunctionsHeld(slots=frozenset({"volt_var"})), True, id="by one"),
        ],
    )
    def test_one_with_functions_alone(self, functions: FunctionsHeld, is_applied: bool) -> None:
        assert bool(applied([held(VV)], NOON, functions)) is is_applied

    def test_a_limit_beside_it_counts_even_if_nobody_does_the_function(self) -> None:
        one = held(VV)
        limited = replace(one.steps[0], bounds=replace(one.steps[0].bounds, import_w=1.0))
        one = replace(one, steps=(limited,))
        (step,) = applied([one], NOON, FunctionsHeld(without="volt_var not done by roof"))
        assert step.reason == "volt_var not done by roof"
        assert applied([one], NOON, FunctionsHeld(settled=False)) == []

    def test_others_do_not_wait_for_it(self) -> None:
        other = in_domain_words(instruction(1.0, seq=2, event_id="e2"), InstructionState.STARTED)
        (step,) = applied([held(VV), other], NOON, FunctionsHeld(settled=False, without="x"))
        assert (step.instruction.instruction_id, step.reason) == ("i2", "")
