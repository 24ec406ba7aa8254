"""PV under a limit rises only once meter and inverter have shown the limit before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.reading import Quality, Reading
from site_agent.domain.decide.generation import curtail
from site_agent.domain.device import Lapse, MeterState, PvSpec, PvState
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.estimate import Moment
from site_agent.domain.site import SiteModel, SiteSnapshot

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=3)
SPEC = PvSpec(pv_id="roof", node="pcc", rated_w=30_000.0, lapse=Lapse.DEVICE)


def reading(value: float, age_s: float = 0.0) -> Reading:
    return Reading(value=value, quality=Quality.GOOD, at=NOW - timedelta(seconds=age_s))


def limit_w(
    *, held_w: float | None, told_s: float, pv_age_s: float = 0.0, meter_age_s: float = 0.0
) -> float | None:
    """What a roof that made 10 kW gets where 12 kW of load are left and nothing may be exported."""
    missing = Reading.missing(NOW)
    roof = PvState(
        spec=SPEC,
        online=True,
        power_w=reading(-10_000.0, pv_age_s),
        limited_w=held_w,
        limited_since=NOW - timedelta(seconds=told_s),
    )
    pcc = MeterState(
        power_w=reading(2_000.0, meter_age_s),
        current_a=(missing, missing, missing),
        import_wh=missing,
    )
    snapshot = SiteSnapshot(
        at=NOW,
        model=SiteModel(
            site_id="depot",
            nodes=(),
            chargers=(),
            batteries=(),
            pv=(SPEC,),
            contract_limit_w=100_000.0,
            max_building_w=20_000.0,
        ),
        pcc=pcc,
        chargers=(),
        batteries=(),
        pv=(roof,),
        needs=(),
    )
    envelope = Envelope(
        import_w=Bound(value=100_000.0, cause="the contract"),
        export_w=Bound(value=0.0, cause="no export"),
        node_current_a={},
    )
    moment = Moment(now=NOW, pcc_at=pcc.power_w.at, max_age=timedelta(seconds=10), settle=SETTLE)
    (setpoint,) = curtail(snapshot, envelope, (), moment)
    return setpoint.limit_w


@pytest.mark.parametrize(
    ("case", "wanted_w"),
    [
        ({"held_w": None, "told_s": 0.0}, 12_000.0),  # none of ours before
        ({"held_w": 10_000.0, "told_s": 5.0}, 12_000.0),  # shown by both
        ({"held_w": 10_000.0, "told_s": 2.0}, 10_000.0),  # too new to be shown
        ({"held_w": 10_000.0, "told_s": 5.0, "pv_age_s": 4.0}, 10_000.0),  # not by the inverter
        ({"held_w": 10_000.0, "told_s": 5.0, "meter_age_s": 2.5}, 10_000.0),  # not by the meter
        ({"held_w": 10_000.0, "told_s": 11.0, "pv_age_s": 9.0}, 12_000.0),  # waited long enough
        ({"held_w": 15_000.0, "told_s": 0.5}, 12_000.0),  # a fall waits for nothing
    ],
)
def test_when_pv_may_rise(case: dict[str, float | None], wanted_w: float) -> None:
    assert limit_w(**case) == pytest.approx(wanted_w)  # type: ignore[arg-type]  # told_s is set
