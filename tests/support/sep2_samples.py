"""One sample of each kind of IEEE 2030.5 resource, touching what is special in each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.sep2.resources import (
    DER,
    CodeStatus,
    ConnectionPoint,
    ConnectStatus,
    CurveData,
    CurveLink,
    DateTimeInterval,
    DefaultDERControl,
    DERAvailability,
    DERCapability,
    DERControl,
    DERControlBase,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERList,
    DERProgram,
    DERProgramList,
    DERSettings,
    DERStatus,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    EventStatus,
    FixedVar,
    FreqDroop,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    ListLink,
    LogEvent,
    LogEventList,
    ManufacturerStatus,
    PowerFactor,
    PowerFactorWithExcitation,
    Registration,
    Scaled,
    StateOfChargeStatus,
    Time,
)

T0 = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
AGGREGATOR = "0F3A61D2C95B48E77A10C2D4E6F8091A2B3C4D5E"
SITE = "3E9D1C20AB74F5508812CD34EF56017892A3B4C5"


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def mrid(kind: int, number: int) -> str:
    return f"{kind:02X}{number:022X}00009F1C"


def lasting(n: float, start: datetime = T0) -> DateTimeInterval:
    return DateTimeInterval(duration=seconds(n), start=start)


DEVICE_CAPABILITY = DeviceCapability(
    href="/gate",
    poll_rate=seconds(300),
    der_program_list_link=ListLink(href="/gate/programs", all=2),
    response_set_list_link=ListLink(href="/gate/answers"),
    time_link=Link(href="/gate/clock"),
    end_device_list_link=ListLink(href="/gate/devices", all=2),
    mirror_usage_point_list_link=ListLink(href="/gate/mirror", all=0),
    self_device_link=Link(href="/gate/self"),
)
TIME = Time(
    href="/gate/clock",
    poll_rate=seconds(900),
    current_time=T0,
    dst_end_time=datetime(2026, 10, 25, 1, tzinfo=UTC),
    dst_offset=seconds(3600),
    dst_start_time=datetime(2026, 3, 29, 1, tzinfo=UTC),
    local_time=T0 - seconds(18000),
    quality=4,
    tz_offset=seconds(-18000),
)
END_DEVICES = EndDeviceList(
    href="/gate/devices",
    subscribable=1,
    all=7,
    results=2,
    poll_rate=seconds(120),
    items=(
        EndDevice(
            href="/gate/devices/0",
            device_category=1 << 14,
            lfdi=AGGREGATOR,
            sfdi=40888153821,
            changed_time=T0,
            subscription_list_link=ListLink(href="/gate/devices/0/subs", all=0),
        ),
        EndDevice(
            href="/gate/devices/1?a=1&b=2",
            subscribable=1,
            der_list_link=ListLink(href="/gate/devices/1/ders", all=1),
            lfdi=SITE,
            log_event_list_link=ListLink(href="/gate/devices/1/log"),
            sfdi=168073691863,
            changed_time=T0,
            enabled=True,
            function_set_assignments_list_link=ListLink(href="/gate/devices/1/groups", all=1),
            post_rate=seconds(60),
            registration_link=Link(href="/gate/devices/1/pin"),
            connection_point_link=Link(href="/gate/devices/1/point"),
        ),
    ),
)
CONNECTION_POINT = ConnectionPoint(href="/gate/devices/1/point", connection_point_id="NMI-0042 & x")
REGISTRATION = Registration(
    href="/gate/devices/1/pin", poll_rate=seconds(3600), date_time_registered=T0, pin=123455
)
FUNCTION_SETS = FunctionSetAssignmentsList(
    href="/gate/devices/1/groups",
    all=1,
    results=1,
    items=(
        FunctionSetAssignments(
            href="/gate/devices/1/groups/1",
            subscribable=1,
            der_program_list_link=ListLink(href="/gate/devices/1/groups/1/programs", all=2),
            tariff_profile_list_link=ListLink(href="/gate/tariffs"),
            time_link=Link(href="/gate/clock"),
            mrid=mrid(4, 1),
            description="Feeder 12 <north>",
            version=3,
        ),
    ),
)
LOG_EVENT = LogEvent(
    created_date_time=T0,
    details="over-voltage at the bus bar",
    extended_data=253,
    function_set=11,
    log_event_code=2,
    log_event_id=65535,
    log_event_pen=40732,
    profile_id=2,
)
LOG_EVENTS = LogEventList(href="/gate/devices/1/log", all=1, results=1, items=(LOG_EVENT,))

DERS = DERList(
    href="/gate/devices/1/ders",
    all=1,
    results=1,
    poll_rate=seconds(60),
    items=(
        DER(
            href="/gate/devices/1/ders/1",
            associated_der_program_list_link=ListLink(href="/gate/devices/1/ders/1/programs"),
            current_der_program_link=Link(href="/gate/programs/1"),
            der_availability_link=Link(href="/gate/devices/1/ders/1/reserve"),
            der_capability_link=Link(href="/gate/devices/1/ders/1/ratings"),
            der_settings_link=Link(href="/gate/devices/1/ders/1/settings"),
            der_status_link=Link(href="/gate/devices/1/ders/1/status"),
        ),
    ),
)
PROGRAMS = DERProgramList(
    href="/gate/programs",
    subscribable=1,
    all=1,
    results=1,
    items=(
        DERProgram(
            href="/gate/programs/1",
            mrid=mrid(2, 1),
            description="Feeder",
            active_der_control_list_link=ListLink(href="/gate/programs/1/active", all=0),
            default_der_control_link=Link(href="/gate/programs/1/default"),
            der_control_list_link=ListLink(href="/gate/programs/1/controls", all=2),
            der_curve_list_link=ListLink(href="/gate/programs/1/curves", all=1),
            primacy=89,
        ),
    ),
)
ENVELOPE = DERControl(
    href="/gate/programs/1/controls/1",
    subscribable=1,
    reply_to="/gate/answers/1",
    response_required=3,
    mrid=mrid(3, 1),
    description="Evening envelope",
    version=1,
    creation_time=T0,
    event_status=EventStatus(
        current_status=1,
        date_time=T0,
        potentially_superseded=True,
        potentially_superseded_time=T0 + seconds(5),
        reason="line work",
    ),
    interval=lasting(1800),
    randomize_duration=seconds(-60),
    randomize_start=seconds(30),
    der_control_base=DERControlBase(
        modes={
            "opModImpLimW": Scaled.of(150_000.0),
            "opModExpLimW": Scaled.of(0.0),
            "opModGenLimW": Scaled.of(12.5),
            "opModLoadLimW": Scaled.of(90_000.0),
        },
        ramp_tms=seconds(12.5),
    ),
    device_category=(1 << 17) | (1 << 18),
)
INVERTER = DERControl(
    href="/gate/programs/1/controls/2",
    mrid=mrid(3, 2),
    creation_time=T0,
    event_status=EventStatus(current_status=0, date_time=T0),
    interval=lasting(600, T0 + seconds(3600)),
    der_control_base=DERControlBase(
        modes={
            "opModConnect": True,
            "opModEnergize": False,
            "opModFixedPFInjectW": PowerFactorWithExcitation(
                displacement=950, excitation=True, multiplier=-3
            ),
            "opModFixedVar": FixedVar(ref_type=3, value=-2500),
            "opModFixedW": -4000,
            "opModFreqDroop": FreqDroop(
                d_bof=36, d_buf=36, k_of=50, k_uf=50, open_loop_tms=seconds(5)
            ),
            "opModMaxLimW": 9500,
            "opModTargetVar": Scaled(value=-7, multiplier=3),
            "opModTargetW": Scaled.of(-20_000.0),
            "opModVoltVar": CurveLink(href="/gate/programs/1/curves/1"),
        },
    ),
)
CONTROLS = DERControlList(
    href="/gate/programs/1/controls",
    subscribable=1,
    all=2,
    results=2,
    items=(ENVELOPE, INVERTER),
)
DEFAULT_CONTROL = DefaultDERControl(
    href="/gate/programs/1/default",
    subscribable=1,
    mrid=mrid(1, 1),
    version=2,
    der_control_base=DERControlBase(modes={"opModImpLimW": Scaled.of(40_000.0)}),
    set_es_delay=seconds(300),
    set_es_high_freq=6010,
    set_es_high_volt=10500,
    set_es_low_freq=5950,
    set_es_low_volt=9170,
    set_es_ramp_tms=seconds(300),
    set_es_random_delay=seconds(2.5),
    set_grad_w=27,
    set_soft_grad_w=14,
)
CURVES = DERCurveList(
    href="/gate/programs/1/curves",
    all=1,
    results=1,
    items=(
        DERCurve(
            href="/gate/programs/1/curves/1",
            mrid=mrid(5, 1),
            autonomous_v_ref_enable=True,
            autonomous_v_ref_time_constant=seconds(300),
            creation_time=T0,
            curve_data=(
                CurveData(x_value=9200, y_value=4400),
                CurveData(x_value=10800, y_value=-4400, excitation=False),
            ),
            curve_type=11,
            open_loop_tms=seconds(5),
            ramp_dec_tms=600,
            ramp_inc_tms=600,
            ramp_pt1_tms=seconds(10),
            v_ref=10000,
            x_multiplier=-2,
            y_multiplier=-2,
            y_ref_type=3,
        ),
    ),
)
CAPABILITY = DERCapability(
    href="/gate/devices/1/ders/1/ratings",
    modes_supported=0x50000B,
    rtg_max_a=Scaled(value=217, multiplier=0),
    rtg_max_charge_rate_w=Scaled.of(150_000.0),
    rtg_max_discharge_rate_w=Scaled.of(50_000.0),
    rtg_max_va=Scaled(value=65535, multiplier=1),
    rtg_max_var=Scaled.of(44_000.0),
    rtg_max_var_neg=Scaled.of(-44_000.0),
    rtg_max_w=Scaled.of(100_000.0),
    rtg_max_wh=Scaled(value=2100, multiplier=2),
    rtg_min_pf_over_excited=PowerFactor(displacement=90, multiplier=-2),
    rtg_v_nom=Scaled(value=230, multiplier=0),
    type=81,
    doe_modes_supported=0x0F,
)
SETTINGS = DERSettings(
    href="/gate/devices/1/ders/1/settings",
    subscribable=1,
    modes_enabled=0x50000B,
    set_es_delay=seconds(300),
    set_grad_w=27,
    set_max_charge_rate_w=Scaled.of(120_000.0),
    set_max_w=Scaled.of(90_000.0),
    set_min_pf_under_excited=PowerFactor(displacement=95, multiplier=-2),
    updated_time=T0,
    doe_modes_enabled=0x0B,
)
STATUS = DERStatus(
    href="/gate/devices/1/ders/1/status",
    alarm_status=0b10,
    gen_connect_status=ConnectStatus(date_time=T0, value=7),
    inverter_status=CodeStatus(date_time=T0, value=5),
    local_control_mode_status=CodeStatus(date_time=T0, value=1),
    manufacturer_status=ManufacturerStatus(date_time=T0, value="E-0042"),
    operational_mode_status=CodeStatus(date_time=T0, value=2),
    reading_time=T0,
    state_of_charge_status=StateOfChargeStatus(date_time=T0, value=6250),
    storage_mode_status=CodeStatus(date_time=T0, value=0),
    stor_connect_status=ConnectStatus(date_time=T0, value=0),
)
AVAILABILITY = DERAvailability(
    href="/gate/devices/1/ders/1/reserve",
    availability_duration=seconds(5400),
    max_charge_duration=seconds(7200),
    reading_time=T0,
    reserve_charge_percent=10000,
    reserve_percent=0,
    stat_var_avail=Scaled.of(0.0),
    stat_w_avail=Scaled.of(45_000.0),
)

DER_SAMPLES = (
    DEVICE_CAPABILITY,
    TIME,
    END_DEVICES,
    CONNECTION_POINT,
    REGISTRATION,
    FUNCTION_SETS,
    LOG_EVENTS,
    DERS,
    PROGRAMS,
    CONTROLS,
    DEFAULT_CONTROL,
    CURVES,
    CAPABILITY,
    SETTINGS,
    STATUS,
    AVAILABILITY,
)
"""Everything about devices and their controls."""
