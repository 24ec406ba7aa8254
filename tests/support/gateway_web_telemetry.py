"""What a depot behind the pages tells and measures."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from contracts.site_link import points
from contracts.site_link.messages import (
    FlexibilityOffer,
    Notice,
    OfferedSlot,
    Row,
    Severity,
    VehicleReadiness,
)
from contracts.site_link.parts import OfferedPart


def said(now: datetime) -> tuple[Row, ...]:
    """What north-yard has told: a charger is offline, one vehicle is fine and one is not."""
    return (
        Notice(
            at=now - timedelta(minutes=3),
            code="charger-offline",
            subject="cp-04",
            severity=Severity.WARNING,
            raised=True,
            text="no heartbeat for 120 s; counted at its fail-safe share",
        ),
        VehicleReadiness(
            at=now,
            vehicle_id="bus-17",
            evse_id="cp-01/1",
            soc_pct=61.0,
            required_wh=48_000.0,
            departure=now + timedelta(hours=11),
            on_track=True,
        ),
        VehicleReadiness(
            at=now,
            vehicle_id="bus-22",
            evse_id="cp-04/1",
            soc_pct=24.0,
            required_wh=131_000.0,
            departure=now + timedelta(hours=9),
            on_track=False,
            reason="charger offline; 18 kWh short at departure",
            outlook="will miss",
            helps="plug it into cp-07 within 40 min",
        ),
        offer(now),
    )


def offer(now: datetime) -> FlexibilityOffer:
    """Of six hours: vehicles that wait for an hour and catch up later."""
    first = now.replace(minute=0, second=0, microsecond=0)
    slots = tuple(
        OfferedSlot(
            start=first + timedelta(minutes=15 * n),
            expected_w=80_000.0,
            down_w=30_000.0 if n else 0.0,
            down_sure_w=20_000.0 if n else 0.0,
            lasts_s=7200.0 if n else 0.0,
            up_w=12_000.0,
            rebound_w=30_000.0,
            rebound_wh=60_000.0,
            rebound_at=first + timedelta(hours=4),
            again_at=first + timedelta(hours=7),
            parts=(
                OfferedPart(
                    device_class="evse",
                    expected_w=50_000.0,
                    down_w=30_000.0 if n else 0.0,
                    down_sure_w=20_000.0 if n else 0.0,
                ),
                OfferedPart(device_class="storage", up_w=12_000.0),
                OfferedPart(device_class="pv", expected_w=-8_000.0, curtail_w=8_000.0),
            ),
        )
        for n in range(24)
    )
    return FlexibilityOffer(
        at=now - timedelta(minutes=2),
        step_s=900.0,
        notice_s=4.0,
        ramp_w_per_min=450_000.0,
        data_age_s=3.0,
        slots=slots,
    )


def readings(load_w: float, given_w: float, at: datetime) -> dict[str, Reading]:
    values = {
        points.PCC_POWER_W: load_w,
        points.BUILDING_POWER_W: 18_000.0,
        points.CHARGING_POWER_W: load_w - 18_000.0,
        points.BATTERY_POWER_W: -12_400.0,
        points.BATTERY_SOC_PCT: 63.0,
        points.PV_POWER_W: -5_300.0,
        points.FLEX_DOWN_W: max(0.0, given_w / 5),
        points.SITE_LIMIT_W: load_w * 1.02,
        points.CHARGERS_ONLINE: 11.0,
        points.CHARGERS_TOTAL: 12.0,
        points.VEHICLES_CHARGING: 9.0,
        points.evse_power_w("cp-01"): 42_000.0,
        points.evse_limit_w("cp-01"): 45_000.0,
        points.evse_power_w("cp-02"): 11_000.0,
        points.evse_limit_w("cp-02"): 11_000.0,
    }
    return {p: Reading(value=v, quality=Quality.GOOD, at=at) for p, v in values.items()}
