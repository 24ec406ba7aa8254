"""What the demo consists of: three depots, a program and its event, a network limit, surprises."""

from __future__ import annotations

from dataclasses import dataclass

UTILITY_ID = "demo-utility"
PROGRAM_ID = "http://demo-utility.example/programs/depot-flex"
PROGRAM_NAME = "Depot Flex (demo)"
EVENT_ID = "first-light"
VEN_ID, VEN_NAME = "ven-gridyard", "gridyard"
TIME_ZONE = "Europe/London"
GRID_ID, GRID_PROGRAM = "demo-grid", "Feeder 12"
"""The network operator, a second utility, and the program by which it limits connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When what happens, in s from the start of the demo. The event itself runs in real time."""

    notice: float = 20.0
    start: float = 45.0
    duration: int = 120
    fault: float = 75.0
    fault_for: float = 40.0
    opt_out: float = 90.0
    limit: float = 60.0
    """When the network operator's import limit begins ..."""
    limit_for: int = 90
    """... and how long it lasts, in s."""
    observe: float = 25.0
    """How long after the event the rebound is watched."""
    telemetry: float = 2.0

    @property
    def end(self) -> float:
        """When the event is over."""
        return self.start + self.duration


DEFAULT = Pace()
QUICK = Pace(
    notice=18.0,
    start=34.0,
    duration=40,
    fault=40.0,
    fault_for=25.0,
    opt_out=54.0,
    limit=44.0,
    limit_for=24,
    observe=10.0,
)
"""For tests: the same story in less time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerPlan:
    """One charger and the vehicle on it."""

    charger_id: str
    version: str
    vehicle_id: str
    max_ac_w: float
    capacity_wh: float
    soc_pct: float
    leaves_in_h: float
    required_soc_pct: float = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DepotPlan:
    """One depot. `nominated_w` is what it has promised to the program."""

    site_id: str
    name: str
    seed: int
    contract_limit_w: float
    service_a: float
    building_w: float
    chargers: tuple[ChargerPlan, ...]
    nominated_w: float
    typical_w: float
    """Import at this hour on ordinary days: the level of the synthetic history."""
    battery: str | None = None
    """`sunspec`, `mqtt` or none."""
    battery_w: float = 0.0
    battery_wh: float = 0.0
    pv_w: float = 0.0


def _chargers(
    letter: str, *specs: tuple[str, float, float, float, float]
) -> tuple[ChargerPlan, ...]:
    """`(OCPP version, W, battery Wh, SoC %, leaves in h)` of each charger in turn."""
    return tuple(
        ChargerPlan(
            charger_id=f"{letter}{n}",
            version=version,
            vehicle_id=f"van-{letter.lower()}{n}",
            max_ac_w=power_w,
            capacity_wh=capacity_wh,
            soc_pct=soc_pct,
            leaves_in_h=hours,
        )
        for n, (version, power_w, capacity_wh, soc_pct, hours) in enumerate(specs, start=1)
    )


_V16, _V201 = "1.6", "2.0.1"
_SMALL, _LARGE = 11_040.0, 22_080.0

DEPOTS = (
    DepotPlan(
        site_id="depot-north",
        name="North depot",
        seed=11,
        contract_limit_w=150_000.0,
        service_a=250.0,
        building_w=18_000.0,
        chargers=_chargers(
            "N",
            (_V16, _SMALL, 62_000.0, 35.0, 7.0),
            (_V16, _SMALL, 62_000.0, 48.0, 8.0),
            (_V16, _SMALL, 75_000.0, 30.0, 6.5),
            (_V16, _SMALL, 75_000.0, 55.0, 9.0),
            (_V201, _LARGE, 90_000.0, 25.0, 6.0),
            (_V201, _LARGE, 90_000.0, 40.0, 8.5),
        ),
        nominated_w=30_000.0,
        typical_w=92_000.0,
        battery="sunspec",
        battery_w=30_000.0,
        battery_wh=60_000.0,
        pv_w=30_000.0,
    ),
    DepotPlan(
        site_id="depot-harbour",
        name="Harbour depot",
        seed=23,
        contract_limit_w=130_000.0,
        service_a=200.0,
        building_w=10_000.0,
        chargers=_chargers(
            "H",
            (_V16, _SMALL, 62_000.0, 42.0, 8.0),
            (_V16, _SMALL, 62_000.0, 33.0, 7.5),
            (_V16, _SMALL, 75_000.0, 50.0, 9.5),
            (_V201, _LARGE, 90_000.0, 28.0, 7.0),
            (_V201, _LARGE, 90_000.0, 45.0, 9.0),
        ),
        nominated_w=25_000.0,
        typical_w=91_000.0,
        battery="mqtt",
        battery_w=20_000.0,
        battery_wh=40_000.0,
    ),
    DepotPlan(
        site_id="depot-east",
        name="East depot",
        seed=37,
        contract_limit_w=110_000.0,
        service_a=160.0,
        building_w=8_000.0,
        chargers=_chargers(
            "E",
            (_V16, _SMALL, 62_000.0, 38.0, 8.0),
            (_V16, _SMALL, 75_000.0, 52.0, 9.0),
            (_V201, _LARGE, 90_000.0, 30.0, 7.5),
            (_V201, _LARGE, 90_000.0, 47.0, 8.5),
        ),
        nominated_w=20_000.0,
        typical_w=46_500.0,
        pv_w=40_000.0,
    ),
)

REDUCTION_W = 60_000.0
FAULTY_SITE, FAULTY_CHARGER = "depot-north", "N3"
OPT_OUT_SITE = "depot-east"
OPT_OUT_CAUSE = "vans are needed earlier today"
LIMITED_SITE, IMPORT_LIMIT_W, EXPORT_LIMIT_W = "depot-east", 36_000.0, 30_000.0
"""What the network operator imposes: an import limit for a while, an export limit by default."""
