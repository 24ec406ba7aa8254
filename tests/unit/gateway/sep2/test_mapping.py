"""Resources to the event rules' words and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.sep2.resources import (
    CurveLink,
    DERControlBase,
    DERControlResponse,
    EndDevice,
    EventStatus,
    FixedVar,
    FreqDroop,
    ModeValue,
    PowerFactorWithExcitation,
    RejectedItem,
    Scaled,
)
from gateway.domain.der.control import ControlStatus, Known, ResponseRequired
from gateway.domain.der.engagement import DeviceState
from gateway.domain.der.engine import advance
from gateway.domain.der.responses import Edition, ResponseCode, ResponseDue
from gateway.utility.sep2 import mapping
from gateway.utility.sep2.curves import Setting
from support.sep2_acting import (
    T0,
    default_control,
    der_control,
    device_settings,
    device_view,
    mrid,
    program,
    sep2_settings,
)

NOTHING: DeviceState[ModeValue] = DeviceState()
DEVICE = device_settings()
LIMIT: dict[str, ModeValue] = {"opModImpLimW": Scaled.of(20_000)}


def test_a_control() -> None:
    found = mapping.control(
        der_control(
            1,
            10,
            30,
            LIMIT,
            randomize_start=timedelta(seconds=-60),
            device_category=5,
            response_required=3,
            der_control_base=DERControlBase(modes=LIMIT, ramp_tms=timedelta(seconds=9)),
        ),
        "P",
    )
    assert found.mrid == mrid(1).upper()
    assert found.program_id == "P"
    assert found.window.start == T0 + timedelta(minutes=10)
    assert found.window.duration == timedelta(minutes=30)
    assert found.modes == LIMIT
    assert found.randomize_start == timedelta(seconds=-60)
    assert found.randomize_duration == timedelta(0)
    assert found.response_required == ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC
    assert found.reply_to == "/rsp"
    assert found.device_category == 5
    assert found.ramp == timedelta(seconds=9)


@pytest.mark.row("sep2:24")
@pytest.mark.parametrize(
    ("status", "meaning"),
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 0), (200, 0)],
)
def test_an_unknown_status_changes_nothing(status: int, meaning: int) -> None:
    listed = der_control(1, 0, 5, LIMIT, event_status=EventStatus(current_status=status))
    assert mapping.control(listed, "P").status is ControlStatus(meaning)


@pytest.mark.row("sep2:11")
def test_everything_the_server_lists() -> None:
    view = device_view(
        DEVICE,
        program(5, der_control(1, 0, 5, LIMIT), default=default_control(LIMIT)),
        program(2, der_control(2, 0, 5, LIMIT)),
    )
    known = mapping.known(view, DEVICE, NOTHING)
    assert [(one.program_id, one.primacy) for one in known.programs] == [
        (mrid(102).upper(), 2),
        (mrid(105).upper(), 5),
    ]
    assert {(one.mrid, one.program_id) for one in known.controls} == {
        (mrid(1).upper(), mrid(105).upper()),
        (mrid(2).upper(), mrid(102).upper()),
    }
    assert [one.modes for one in known.defaults] == [LIMIT]


def test_a_default_keeps_what_the_device_can_follow() -> None:
    modes: dict[str, ModeValue] = {
        **LIMIT,
        "opModVoltVar": CurveLink(href="/curve"),
        "opModMaxLimW": 20_000,
    }
    default = mapping.default(default_control(modes, set_grad_w=27), "P", DEVICE)
    assert default.modes == {**LIMIT, "setGradW": 27}


@pytest.mark.row("sep2:33")
def test_elements_nobody_knows_are_refused_beside_those_we_know() -> None:
    raw = (b'<x:opModMagic xmlns:x="urn:x">5</x:opModMagic>', b"<opModOther/>", b"garbage")
    listed = der_control(1, 0, 5, {}, der_control_base=DERControlBase(modes=LIMIT, extension=raw))
    found = mapping.control(listed, "P")
    assert set(found.modes) == {"opModImpLimW", "opModMagic", "opModOther", "an unknown mode"}
    judge = mapping.device(DEVICE, None).applicable
    verdicts = {mode: judge(mode, value) for mode, value in found.modes.items()}
    assert verdicts.pop("opModImpLimW") is None
    assert {v.code for v in verdicts.values() if v} == {ResponseCode.NOT_APPLICABLE}


def test_a_control_that_became_unreadable_stays_as_it_was() -> None:
    view = device_view(DEVICE, program(1, der_control(1, 0, 5, LIMIT)))
    device = mapping.device(DEVICE, view)
    step = advance(NOTHING, mapping.known(view, DEVICE, NOTHING), T0, device=device)
    garbled = RejectedItem(href="/x", mrid=mrid(1), reply_to="/rsp", reason="no interval")
    view = device_view(DEVICE, program(1, rejected=[garbled]))
    known = mapping.known(view, DEVICE, step.state)
    assert [one.mrid for one in known.controls] == [mrid(1).upper()]


@pytest.mark.parametrize(("category", "taken"), [(None, None), (0, None), (6, 6)])
def test_the_kind_of_device_is_what_the_server_has_on_record(
    category: int | None, taken: int | None
) -> None:
    view = device_view(DEVICE, end_device=EndDevice(lfdi=DEVICE.lfdi, device_category=category))
    assert mapping.device(DEVICE, view).categories == taken
    assert mapping.device(DEVICE, None).categories is None


@pytest.mark.row("sep2:32")
def test_the_profile_of_a_utility() -> None:
    settings = sep2_settings(
        response_codes=frozenset({1, 2, 3, 6, 7}), edition="2023", displaced_code=7
    )
    profile = mapping.profile(settings)
    assert profile.edition is Edition.V2023
    assert profile.spoken(ResponseCode.NOT_APPLICABLE) is None
    assert profile.spoken(ResponseCode.CANCELLED) is ResponseCode.CANCELLED
    assert mapping.profile(sep2_settings(displaced_code=14)).displaced_before_start == 14


@pytest.mark.row("sep2:30")
def test_an_answer_echoes_the_mrid_as_it_was_listed() -> None:
    view = device_view(DEVICE, program(1, der_control(1, 0, 5, LIMIT)))
    due = ResponseDue(
        mrid=mrid(1).upper(),
        lfdi=DEVICE.lfdi,
        code=ResponseCode.STARTED,
        at=T0,
        reply_to="/rsp",
        cause="",
    )
    assert mapping.response(due, mapping.as_listed(view)[due.mrid]) == DERControlResponse(
        created_date_time=T0, end_device_lfdi=DEVICE.lfdi, status=2, subject=mrid(1)
    )


int16 = st.integers(-(2**15), 2**15 - 1)
mode_values: st.SearchStrategy[ModeValue] = st.one_of(
    st.booleans(),
    int16,
    st.builds(Scaled, value=st.integers(-(2**47), 2**47), multiplier=st.integers(-128, 127)),
    st.builds(
        PowerFactorWithExcitation,
        displacement=st.integers(0, 1000),
        excitation=st.booleans(),
        multiplier=st.integers(-3, 0),
    ),
    st.builds(FixedVar, ref_type=st.integers(0, 7), value=int16),
    st.builds(
        FreqDroop,
        d_bof=st.integers(0, 1000),
        d_buf=st.integers(0, 1000),
        k_of=st.integers(0, 1000),
        k_uf=st.integers(0, 1000),
        open_loop_tms=st.timedeltas(timedelta(0), timedelta(seconds=9)),
    ),
    st.builds(CurveLink, href=st.text(max_size=9)),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["opModImpLimW", "opModMaxLimW", "x", "y"]), mode_values))
def test_a_stored_state_comes_back_the_same(modes: dict[str, ModeValue]) -> None:
    listed = der_control(1, 0, 5, modes, randomize_start=timedelta(seconds=60))
    known: Known[Setting] = mapping.known(
        device_view(DEVICE, program(1, listed, default=default_control(modes))), DEVICE, NOTHING
    )
    state = advance(NOTHING, known, T0, device=mapping.device(DEVICE, None)).state
    adapter: TypeAdapter[DeviceState[Setting]] = TypeAdapter(DeviceState[Setting])
    assert adapter.validate_python(adapter.dump_python(state, mode="json")) == state
