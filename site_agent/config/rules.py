"""Rules as people write them, in settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from contracts.config import Settings
from site_agent.config.fleet import HolderName
from site_agent.config.values import Percent
from site_agent.domain.mode import Mode
from site_agent.domain.price import Level
from site_agent.domain.rules.rule import (
    EVERY_DAY,
    WEEKEND,
    WORKDAYS,
    Rule,
    StorageDo,
    StorageWish,
    Then,
    VehicleWish,
    When,
    Window,
)

MAX_RULES = 100
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = get_args(Day)
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?- ?([01]\d|2[0-3]|24):([0-5]\d)")
_POWER = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(kW|W)")
_BATTERY = re.compile(rf"(hold|charge from surplus|charge|discharge)(?: {_POWER.pattern})?")
_AT_MOST = re.compile(rf"at most {_POWER.pattern}")

Watts = Annotated[float, Field(ge=0, le=1e9)]
Price = Annotated[float, Field(ge=-100, le=1000)]
RuleName = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _some(value: object) -> object:
    """One thing stands for a list of it."""
    return value if isinstance(value, list | tuple) else (value,)


Some = BeforeValidator(_some)


class WhenSettings(Settings):
    """Conditions; all that are given must hold. What is not known does not hold."""

    time: Annotated[tuple[str, ...], Some, Field(max_length=20)] = ()
    """Local clock times, such as "16:00-21:00", or a list; over midnight: "22:00-06:00"."""
    days: Literal["all", "weekdays", "weekends"] | tuple[Day, ...] = "all"
    """Also a list of `mon` to `sun`. A time over midnight belongs to the day it begins on."""
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Some] = ()
    price_above: Price | None = None
    """Per kWh, in the tariff's currency."""
    price_below: Price | None = None
    price: Level | None = None
    """`high`, `middle` or `low` for the day: the upper, middle or lower third of its span."""
    soc_below_pct: Percent | None = None
    """Of all batteries together."""
    soc_above_pct: Percent | None = None
    building_above_w: Watts | None = None
    """What the site draws beside chargers and batteries, PV taken off."""
    building_below_w: Watts | None = None
    surplus_above_w: Watts | None = None
    """What would be exported without batteries and vehicles."""
    event: bool | None = None
    """Whether a utility's event is in force."""
    mode: Annotated[tuple[Mode, ...], Some] = ()
    """A mode of the site, or several."""
    vehicle: Annotated[tuple[HolderName, ...], Some, Field(max_length=500)] = ()
    """Which vehicles the rule is about."""
    rank: Annotated[tuple[Annotated[int, Field(ge=-1000, le=1000)], ...], Some] = ()
    """Of which ranks."""
    spare_above_h: Annotated[float, Field(ge=0, le=168)] | None = None
    """Only vehicles with more time to spare before their departure."""

    @field_validator("time")
    @classmethod
    def _is_time(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            _window(text)
        return value

    @property
    def when(self) -> When:
        """The same in the domain's words."""
        return When(
            windows=tuple(_window(text) for text in self.time),
            days=_days(self.days),
            months=frozenset(self.months),
            price_above=self.price_above,
            price_below=self.price_below,
            price=self.price,
            soc_below_pct=self.soc_below_pct,
            soc_above_pct=self.soc_above_pct,
            building_above_w=self.building_above_w,
            building_below_w=self.building_below_w,
            surplus_above_w=self.surplus_above_w,
            event=self.event,
            mode=frozenset(self.mode),
            vehicles=frozenset(self.vehicle),
            ranks=frozenset(self.rank),
            spare_above_h=self.spare_above_h,
        )


class ThenSettings(Settings):
    """What a rule asks for; at least one thing."""

    battery: str | None = None
    """`hold`, `charge`, `charge from surplus` or `discharge`, each also with a power, such as
    `discharge 20 kW`."""
    vehicles: str | None = None
    """`wait`, `charge now` or `at most 11 kW` (each)."""
    import_below_w: Watts | None = None
    """The site should stay below this; vehicles that would be late may exceed it."""
    import_limit_w: Watts | None = None
    """The site must stay below this, whatever it costs."""
    export_limit_w: Watts | None = None
    """It must not feed in more than this."""

    @model_validator(mode="after")
    def _asks_something(self) -> ThenSettings:
        if self.then == Then():
            raise ValueError("asks for nothing")
        return self

    @property
    def then(self) -> Then:
        """The same in the domain's words.

        Raises:
            ValueError: words that no rule knows.
        """
        return Then(
            battery=None if self.battery is None else _storage(self.battery),
            vehicles=None if self.vehicles is None else _vehicles(self.vehicles),
            import_below_w=self.import_below_w,
            import_limit_w=self.import_limit_w,
            export_limit_w=self.export_limit_w,
        )


class RuleSettings(Settings):
    """One rule; those that stand first have their say first."""

    name: RuleName
    """Shown as the cause of what it brings about."""
    when: WhenSettings = WhenSettings()
    then: ThenSettings

    @property
    def rule(self) -> Rule:
        """The same in the domain's words."""
        return Rule(name=self.name, when=self.when.when, then=self.then.then)


RulesSettings = Annotated[tuple[RuleSettings, ...], Field(max_length=MAX_RULES)]


def rules_of(settings: Iterable[RuleSettings]) -> tuple[Rule, ...]:
    """Rules in the domain's words, in their order."""
    return tuple(one.rule for one in settings)


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(text.strip())
    if match is None or (match[3] == "24" and match[4] != "00"):
        raise ValueError(f'{text!r} is no time such as "16:00-21:00" (in quotes)')
    hour, minute, until, past = (int(part) for part in match.groups())
    return Window(start=time(hour, minute), end=time(until % 24, past))


def _days(value: str | tuple[Day, ...]) -> frozenset[int]:
    if isinstance(value, tuple):
        return frozenset(_DAYS.index(day) for day in value)
    return {"all": EVERY_DAY, "weekdays": WORKDAYS, "weekends": WEEKEND}[value]


def _storage(text: str) -> StorageWish:
    match = _BATTERY.fullmatch(text.strip())
    if match is None or (match[1] == "hold" and match[2]):
        known = ", ".join(one.value for one in StorageDo)
        raise ValueError(f"battery: {text!r} is none of {known}, or one with a power (20 kW)")
    return StorageWish(do=StorageDo(match[1]), power_w=_watts(match[2], match[3]))


def _vehicles(text: str) -> VehicleWish:
    words = text.strip()
    match = _AT_MOST.fullmatch(words)
    if match is not None:
        return VehicleWish(most_w=_watts(match[1], match[2]))
    if words not in ("wait", "charge now"):
        raise ValueError(f'vehicles: {text!r} is none of "wait", "charge now", "at most 11 kW"')
    return VehicleWish(most_w=0.0 if words == "wait" else None)


def _watts(number: str | None, unit: str | None) -> float | None:
    if number is None:
        return None
    return float(number) * (1000.0 if unit == "kW" else 1.0)
