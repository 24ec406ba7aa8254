"""Baseline methods by name, each "-type": after an operator's rule, never certified against it.

Each says where it comes from and what of it was read; the rest is from memory and has to be checked
against the tariff in force before money depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.program.measuring import Point
from gateway.domain.program.method import (
    Adjustment,
    Anchor,
    BaselineKind,
    BaselineMethod,
    DayType,
    Rank,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A method with its source."""

    method: BaselineMethod
    """Its `name` is the preset's."""
    source: str
    """Whose rule it follows."""
    read: str
    """What of it was read in public text."""
    check: str
    """What is from memory or our own choice: to be checked in the tariff."""
    point: Point = Point.SITE
    """On which meter."""
    needs: str = ""
    """What must be given besides the site's own load."""

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return self.method.name


def preset(name: str) -> Preset:
    """A preset by its name.

    Raises:
        ValueError: there is none; the message names those there are.
    """
    try:
        return PRESETS[name]
    except KeyError as error:
        known = ", ".join(PRESETS)
        raise ValueError(f"no baseline method {name!r}; there are: {known}") from error


def comparable() -> tuple[BaselineMethod, ...]:
    """Those that need nothing but the load of a whole site."""
    return tuple(
        one.method for one in PRESETS.values() if one.point is Point.SITE and not one.needs
    )


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


_CAISO = "CAISO tariff, PDR and RDRR"
_PJM = "PJM, economic demand response"
_ERCOT = "ERCOT, emergency response service"

_ALL = (
    Preset(
        method=BaselineMethod(name="10-in-10-type"),
        source=_CAISO,
        read="the last 10 days of 10, a same-day adjustment of at most 20 %",
        check="like days, a look-back of 45 days, a ratio over 4 h to 1 h before, 0.8 to 1.2",
    ),
    Preset(
        method=BaselineMethod(name="10-in-10-unadjusted-type", adjustment=Adjustment.NONE),
        source=_CAISO,
        read="the last 10 days of 10",
        check="like days, a look-back of 45 days",
    ),
    Preset(
        method=BaselineMethod(
            name="5-in-10-type",
            x_days=5,
            adjust_from=_h(4),
            adjust_until=_h(2),
            after_from=_h(2),
            after_until=_h(4),
            adjust_low=1 / 1.4,
            adjust_high=1.4,
        ),
        source=f"{_CAISO}, day matching since ESDER 2",
        read="five kinds instead of two; +-40 %, hours before and after with buffers",
        check="every number: 5 of 10, two hours either side after a buffer of two, 1/1.4 to 1.4",
    ),
    Preset(
        method=BaselineMethod(
            name="3-plus-2-type",
            kind=BaselineKind.SAME_DAY,
            adjustment=Adjustment.NONE,
            adjust_from=_h(4),
            adjust_until=_h(1),
            after_from=_h(1),
            after_until=_h(3),
        ),
        source=_PJM,
        read="3 h before and 2 h after, 1 h skipped: event HE13-17, HE9-11 and 19-20",
        check="how much of these hours must be measured",
    ),
    Preset(
        method=BaselineMethod(
            name="match-day-type",
            kind=BaselineKind.MATCH_DAY,
            adjustment=Adjustment.NONE,
            x_days=3,
            y_days=45,
        ),
        source=_PJM,
        read="3 non-event days most alike in the non-event hours, without the hour either side",
        check="how likeness is measured (here: least squares), like days, a look-back of 45 days",
    ),
    Preset(
        method=BaselineMethod(
            name="high-4-of-5-additive-type",
            x_days=4,
            y_days=5,
            day_type=DayType.SAME,
            adjustment=Adjustment.ADDITIVE,
            adjust_low=None,
            adjust_high=None,
        ),
        source=_PJM,
        read="nothing of it",
        check="5 like days, the lowest left out, an additive shift over 4 h to 1 h before",
    ),
    Preset(
        method=BaselineMethod(name="high-5-of-10-type", x_days=5, adjustment=Adjustment.NONE),
        source="Con Edison CSRP; NYISO",
        read="high 5 of 10 weekdays, plain (third party, 2025)",
        check="what makes a day unfit",
    ),
    Preset(
        method=BaselineMethod(
            name="high-5-of-10-adjusted-type", x_days=5, adjust_from=_h(4), adjust_until=_h(2)
        ),
        source="NYISO",
        read="nothing of it",
        check="5 highest of 10, a ratio over 4 h to 2 h before the event, 0.8 to 1.2",
    ),
    Preset(
        method=BaselineMethod(
            name="high-5-of-10-additive-type",
            x_days=5,
            adjustment=Adjustment.ADDITIVE,
            adjust_low=None,
            adjust_high=None,
        ),
        source="a variant for comparison",
        read="nothing: it is no operator's",
        check="everything",
    ),
    Preset(
        method=BaselineMethod(name="high-3-of-10-type", x_days=3, adjustment=Adjustment.NONE),
        source="LADWP demand response",
        read="high 3 of 10 (third party, 2025)",
        check="day types, adjustment",
    ),
    Preset(
        method=BaselineMethod(
            name="middle-8-of-10-type",
            x_days=8,
            rank=Rank.MIDDLE,
            adjustment=Adjustment.ADDITIVE,
            adjust_from=_h(3),
            adjust_until=_h(0),
            adjust_low=None,
            adjust_high=None,
        ),
        source=_ERCOT,
        read="middle 8 of 10 with an event-day adjustment, by name",
        check="its hours (here the three before the event), and that it is additive",
    ),
    Preset(
        method=BaselineMethod(
            name="nearest-20-type",
            x_days=20,
            y_days=20,
            rank=Rank.NEWEST,
            adjustment=Adjustment.NONE,
        ),
        source=_ERCOT,
        read="nearest 20 like days since October 2016, by name",
        check="what is nearest (here: in time), look-back",
    ),
    Preset(
        method=BaselineMethod(
            name="weighted-10-of-10-type",
            weights=tuple(10.0 - n for n in range(10)),
            adjustment=Adjustment.NONE,
        ),
        source="a variant for comparison: a newer day counts more",
        read="nothing: it is no operator's",
        check="everything",
    ),
    Preset(
        method=BaselineMethod(
            name="meter-before-type",
            kind=BaselineKind.BEFORE_EVENT,
            adjustment=Adjustment.NONE,
            adjust_from=_h(1),
            adjust_until=_h(0),
        ),
        source="PJM load management, energy",
        read="the hour before (operator's text, undated)",
        check="whether the hour ends at the event or at its notification",
    ),
    Preset(
        method=BaselineMethod(
            name="meter-before-meter-after-type",
            kind=BaselineKind.BEFORE_EVENT,
            adjustment=Adjustment.NONE,
            adjust_from=_h(0.25),
            adjust_until=_h(0),
        ),
        source=_ERCOT,
        read="meter before, meter after since October 2016, by name",
        check="its window: here the last quarter hour before the event",
    ),
    Preset(
        method=BaselineMethod(
            name="10-weekdays-notification-type",
            day_type=DayType.BUSINESS,
            rank=Rank.NEWEST,
            adjustment=Adjustment.ADDITIVE,
            adjust_from=_h(0.25),
            adjust_until=_h(0),
            adjust_low=None,
            adjust_high=None,
            anchor=Anchor.NOTIFICATION,
        ),
        source="ISO-NE, active demand capacity resources",
        read="10 weekdays, a shift by the 15 min before the notification (third party)",
        check="intervals of 5 min, what makes a day unfit",
    ),
    Preset(
        method=BaselineMethod(name="10-of-10-business-type", day_type=DayType.BUSINESS),
        source="AEMO, wholesale demand response",
        read="10 of 10; business, non-business, all or composite days",
        check="every number",
    ),
    Preset(
        method=BaselineMethod(name="10-of-10-all-days-type", day_type=DayType.ANY),
        source="AEMO, wholesale demand response",
        read="10 of 10; business, non-business, all or composite days",
        check="every number",
    ),
    Preset(
        method=BaselineMethod(name="evse-10-in-10-type", adjustment=Adjustment.NONE),
        source=f"{_CAISO}, submetered chargers",
        read="chargers may be submetered and settled on a baseline of their own (2020)",
        check="the rule itself: here 10 in 10 of the chargers' meter, not adjusted",
        point=Point.EVSE,
    ),
    Preset(
        method=BaselineMethod(
            name="generator-output-type", kind=BaselineKind.DEVICE, adjustment=Adjustment.NONE
        ),
        source=f"{_CAISO}, metering generator output",
        read="exports of the device do not count (a stakeholder's comment, 2025)",
        check="the usual output of other days is not taken off here, the device counts as at rest; "
        "what it gives beyond the site's own load is counted, too",
        point=Point.INVERTER,
    ),
    Preset(
        method=BaselineMethod(
            name="battery-usual-output-type",
            x_days=10,
            rank=Rank.NEWEST,
            adjustment=Adjustment.NONE,
        ),
        source=f"{_CAISO}, metering generator output",
        read="exports of the device do not count (a stakeholder's comment, 2025)",
        check="the rule itself: here the mean of 10 like days of the battery's own meter",
        point=Point.INVERTER,
    ),
    Preset(
        method=BaselineMethod(
            name="firm-level-type", kind=BaselineKind.FIRM_LEVEL, adjustment=Adjustment.NONE
        ),
        source="PG&E and SCE BIP, PJM load management, ERCOT ERS",
        read="drop to a firm service level; no baseline (operators' pages, undated)",
        check="over which span load under the level makes up for load over it",
        needs="level_w",
    ),
    Preset(
        method=BaselineMethod(name="flat-type", kind=BaselineKind.FLAT, adjustment=Adjustment.NONE),
        source="NYISO SCR",
        read="the mean of the 20 highest loads in the system's top 40 hours (third party, undated)",
        check="everything; `measure.firm_level.flat_baseline` forms the level from such hours",
        needs="level_w",
    ),
    Preset(
        method=BaselineMethod(
            name="control-group-type",
            kind=BaselineKind.CONTROL_GROUP,
            adjust_low=None,
            adjust_high=None,
        ),
        source=f"{_CAISO}, control group since ESDER 2",
        read="that there is such a kind",
        check="the group's least size (here 3), its scaling (here over 4 h to 1 h before)",
        needs="control_sites",
    ),
)
PRESETS: Mapping[str, Preset] = {one.name: one for one in _ALL}
