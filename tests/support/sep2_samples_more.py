"""Samples of the other function sets: metering, answers, subscriptions, prices, load control."""

from __future__ import annotations

from contracts.sep2.resources import (
    ApplianceLoadReduction,
    Condition,
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    DemandResponseProgram,
    DemandResponseProgramList,
    DERControlResponse,
    DrResponse,
    DutyCycle,
    EndDeviceControl,
    EndDeviceControlList,
    EnvironmentalCost,
    Error,
    EventStatus,
    FlowReservationRequest,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    Link,
    ListLink,
    LoadShedAvailability,
    LoadShedAvailabilityList,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    MirrorUsagePointList,
    Notification,
    Offset,
    PriceResponse,
    RateComponent,
    RateComponentList,
    Reading,
    ReadingType,
    RequestStatus,
    Response,
    ResponseList,
    ResponseSet,
    ResponseSetList,
    Scaled,
    SetPoint,
    Subscription,
    TargetReduction,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
    UnitValue,
    UsagePoint,
    UsagePointList,
)
from support.sep2_samples import CONTROLS, DER_SAMPLES, SITE, T0, lasting, mrid, seconds

AVERAGE_POWER = ReadingType(
    accumulation_behaviour=12,
    commodity=1,
    conversion_factor=UnitValue(multiplier=-3, unit=72, value=1000),
    data_qualifier=2,
    flow_direction=1,
    interval_length=seconds(300),
    kind=37,
    phase=0,
    power_of_ten_multiplier=0,
    uom=38,
)
MIRROR = MirrorUsagePointList(
    href="/gate/mirror",
    all=1,
    results=1,
    poll_rate=seconds(60),
    items=(
        MirrorUsagePoint(
            href="/gate/mirror/1",
            mrid=mrid(6, 1),
            description="Depot meter",
            role_flags=0b11,
            status=1,
            device_lfdi=SITE,
            meter_readings=(
                MirrorMeterReading(
                    mrid=mrid(7, 1), description="site W", reading_type=AVERAGE_POWER
                ),
            ),
            post_rate=seconds(300),
        ),
    ),
)
READINGS = MirrorMeterReading(
    mrid=mrid(7, 1),
    last_update_time=T0,
    reading_sets=(
        MirrorReadingSet(
            mrid=mrid(8, 1),
            time_period=lasting(600),
            readings=(
                Reading(quality_flags=1, time_period=lasting(300), value=-18250, local_id=0),
                Reading(time_period=lasting(300, T0 + seconds(300)), value=17900, local_id=1),
            ),
        ),
    ),
    next_update_time=T0 + seconds(600),
    reading=Reading(consumption_block=0, tou_tier=0, value=1 << 40),
)
USAGE_POINTS = UsagePointList(
    href="/gate/usage",
    all=1,
    results=1,
    items=(
        UsagePoint(
            href="/gate/usage/1",
            mrid=mrid(9, 1),
            role_flags=0b10,
            status=1,
            meter_reading_list_link=ListLink(href="/gate/usage/1/readings", all=3),
        ),
    ),
)

STARTED = DERControlResponse(
    created_date_time=T0, end_device_lfdi=SITE, status=2, subject=mrid(3, 1)
)
SHED = DrResponse(
    created_date_time=T0,
    end_device_lfdi=SITE,
    status=8,
    subject=mrid(10, 1),
    appliance_load_reduction=ApplianceLoadReduction(type=1),
    applied_target_reduction=TargetReduction(type=1, value=40),
    duty_cycle=DutyCycle(normal_value=50),
    offset=Offset(cooling_offset=20, load_adjustment_percentage_offset=1500),
    override_duration=seconds(600),
    set_point=SetPoint(cooling_setpoint=2350),
)
RESPONSE_SETS = ResponseSetList(
    href="/gate/answers",
    all=1,
    results=1,
    items=(
        ResponseSet(
            href="/gate/answers/1",
            mrid=mrid(11, 1),
            response_list_link=ListLink(href="/gate/answers/1/all", all=5),
        ),
    ),
)
RESPONSES = ResponseList(
    href="/gate/answers/1/all",
    all=5,
    results=5,
    items=(
        Response(href="/gate/answers/1/all/1", end_device_lfdi=SITE, subject=mrid(3, 1)),
        STARTED,
        PriceResponse(created_date_time=T0, end_device_lfdi=SITE, status=1, subject=mrid(12, 1)),
        FlowReservationResponseResponse(end_device_lfdi=SITE, status=1, subject=mrid(13, 1)),
        SHED,
    ),
)
SUBSCRIPTION = Subscription(
    subscribed_resource="/gate/programs/1/controls",
    condition=Condition(attribute_identifier=0, lower_threshold=-5, upper_threshold=5),
    limit=10,
    notification_uri="https://depots.example:8443/hint?k=1&v=2",
)
NOTIFICATION = Notification(
    subscribed_resource="/gate/programs/1/controls",
    new_resource_uri="/gate/programs/9/controls",
    resource=CONTROLS,
    status=2,
    subscription_uri="/gate/devices/0/subs/1",
)

TARIFFS = TariffProfileList(
    href="/gate/tariffs",
    all=1,
    results=1,
    items=(
        TariffProfile(
            href="/gate/tariffs/1",
            mrid=mrid(14, 1),
            currency=978,
            price_power_of_ten_multiplier=-4,
            primacy=1,
            rate_code="FLEET-2",
            rate_component_list_link=ListLink(href="/gate/tariffs/1/parts", all=1),
        ),
    ),
)
RATES = RateComponentList(
    href="/gate/tariffs/1/parts",
    all=1,
    results=1,
    items=(
        RateComponent(
            href="/gate/tariffs/1/parts/1",
            mrid=mrid(15, 1),
            active_time_tariff_interval_list_link=ListLink(href="/gate/tariffs/1/parts/1/now"),
            flow_rate_end_limit=UnitValue(multiplier=3, unit=38, value=150),
            flow_rate_start_limit=UnitValue(multiplier=3, unit=38, value=0),
            reading_type_link=Link(href="/gate/kinds/1"),
            role_flags=0b10,
            time_tariff_interval_list_link=ListLink(href="/gate/tariffs/1/parts/1/times", all=1),
        ),
    ),
)
PRICES = TimeTariffIntervalList(
    href="/gate/tariffs/1/parts/1/times",
    all=1,
    results=1,
    items=(
        TimeTariffInterval(
            href="/gate/tariffs/1/parts/1/times/17:00",
            reply_to="/gate/answers/1",
            response_required=1,
            mrid=mrid(12, 1),
            creation_time=T0,
            event_status=EventStatus(current_status=0, date_time=T0),
            interval=lasting(3600),
            consumption_tariff_interval_list_link=ListLink(
                href="/gate/tariffs/1/parts/1/times/17:00/costs", all=1
            ),
            tou_tier=3,
        ),
    ),
)
COSTS = ConsumptionTariffIntervalList(
    href="/gate/tariffs/1/parts/1/times/17:00/costs",
    all=1,
    results=1,
    items=(
        ConsumptionTariffInterval(
            href="/gate/tariffs/1/parts/1/times/17:00/costs/1",
            consumption_block=1,
            environmental_costs=(
                EnvironmentalCost(amount=410, cost_kind=0, cost_level=1, num_cost_levels=3),
            ),
            price=-312,
            start_value=0,
        ),
    ),
)

DR_PROGRAMS = DemandResponseProgramList(
    href="/gate/shed",
    all=1,
    results=1,
    items=(
        DemandResponseProgram(
            href="/gate/shed/1",
            mrid=mrid(16, 1),
            active_end_device_control_list_link=ListLink(href="/gate/shed/1/now"),
            availability_update_percent_change_threshold=500,
            availability_update_power_change_threshold=Scaled.of(2_000.0),
            end_device_control_list_link=ListLink(href="/gate/shed/1/all", all=1),
            primacy=2,
        ),
    ),
)
SHEDS = EndDeviceControlList(
    href="/gate/shed/1/all",
    all=1,
    results=1,
    items=(
        EndDeviceControl(
            href="/gate/shed/1/all/1",
            mrid=mrid(10, 1),
            creation_time=T0,
            event_status=EventStatus(current_status=3, date_time=T0),
            interval=lasting(900),
            appliance_load_reduction=ApplianceLoadReduction(type=0),
            device_category=1 << 17,
            dr_program_mandatory=True,
            duty_cycle=DutyCycle(normal_value=50),
            load_shift_forward=False,
            offset=Offset(heating_offset=10),
            override_duration=seconds(120),
            set_point=SetPoint(heating_setpoint=-150),
            target_reduction=TargetReduction(type=1, value=40),
        ),
    ),
)
SHEDDABLE = LoadShedAvailabilityList(
    href="/gate/devices/1/sheddable",
    all=1,
    results=1,
    items=(
        LoadShedAvailability(
            availability_duration=seconds(1800),
            demand_response_program_link=Link(href="/gate/shed/1"),
            sheddable_percent=4000,
            sheddable_power=Scaled.of(60_000.0),
        ),
    ),
)
RESERVATION = FlowReservationRequest(
    mrid=mrid(17, 1),
    description="bus 12 overnight",
    creation_time=T0,
    duration_requested=seconds(7200),
    energy_requested=Scaled(value=180, multiplier=3),
    interval_requested=lasting(28800),
    power_requested=Scaled.of(90_000.0),
    request_status=RequestStatus(date_time=T0, request_status=0),
)
GRANTED = FlowReservationResponseList(
    href="/gate/devices/1/granted",
    all=1,
    results=1,
    items=(
        FlowReservationResponse(
            href="/gate/devices/1/granted/1",
            mrid=mrid(13, 1),
            creation_time=T0,
            event_status=EventStatus(current_status=0, date_time=T0),
            interval=lasting(7200),
            energy_available=Scaled(value=-(1 << 40), multiplier=0),
            power_available=Scaled.of(75_000.0),
            subject=mrid(17, 1),
        ),
    ),
)
ERROR = Error(max_retry_duration=seconds(30), reason_code=4)

SAMPLES = (
    *DER_SAMPLES,
    AVERAGE_POWER,
    MIRROR,
    READINGS,
    USAGE_POINTS,
    STARTED,
    SHED,
    RESPONSE_SETS,
    RESPONSES,
    SUBSCRIPTION,
    NOTIFICATION,
    TARIFFS,
    RATES,
    PRICES,
    COSTS,
    DR_PROGRAMS,
    SHEDS,
    SHEDDABLE,
    RESERVATION,
    GRANTED,
    ERROR,
)
"""All of them."""
