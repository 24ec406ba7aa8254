"""Tariff files: YAML of our own, the JSON of acnportal, and those that come with the agent."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from contracts.config import Settings, load, loads
from contracts.errors import ConfigError
from site_agent.config.tariff import DayOfYear, TariffSettings

_FOLDER = "tariffs"
_HOURS = 24


class ScheduleSettings(Settings):
    """One schedule of acnportal's JSON."""

    id: Annotated[str, Field(min_length=1, max_length=60)]
    effective_start: DayOfYear
    effective_end: DayOfYear
    """Included."""
    dow_mask: Literal["WEEKDAYS", "WEEKENDS", "ALL"]
    times: Annotated[tuple[Annotated[float, Field(ge=0, lt=_HOURS)], ...], Field(min_length=1)]
    """Local hours since midnight, the first is 0."""
    tariffs: tuple[Annotated[float, Field(ge=-100, le=100)], ...]
    """Per kWh from that hour on."""
    demand_charge: Annotated[float, Field(ge=0)] = 0.0
    """Per kW; taken as monthly, of the 15-minute average, whatever the hour."""

    @model_validator(mode="after")
    def _paired(self) -> ScheduleSettings:
        if len(self.times) != len(self.tariffs):
            raise ValueError(f"{self.id!r}: as many tariffs as times")
        return self


class AcnTariffSettings(Settings):
    """acnportal's JSON shape (California Institute of Technology, BSD-3-Clause)."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    effective: str = ""
    link: str = ""
    comment: str = ""
    schedule: Annotated[tuple[ScheduleSettings, ...], Field(min_length=1, max_length=64)]

    def tree(self, currency: str, time_zone: str) -> dict[str, object]:
        """The same as settings of a tariff of ours."""
        return {
            "name": self.name,
            "source": f"{self.link}, effective {self.effective}"[:300],
            "currency": currency,
            "time_zone": time_zone,
            "energy": [_energy(one) for one in self.schedule],
            "demand": list(_demand(self.schedule)),
        }


def load_tariff(
    name: str | Path, *, currency: str = "USD", time_zone: str = "America/Los_Angeles"
) -> TariffSettings:
    """A tariff by the path of a file, or by the name of one that comes with the agent.

    `currency`, `time_zone`: of a JSON file, which does not tell them.

    Raises:
        ConfigError: there is none, or it says what cannot be; the message says where and what.
    """
    known = dict(shipped())
    if str(name) in known:
        return loads(known[str(name)], TariffSettings, name=f"tariff {name}")
    path = Path(name)
    if path.suffix not in {".json", ".yaml", ".yml"}:
        raise ConfigError(
            f"tariff {str(name)!r}: no file .yaml or .json, and none that comes with the agent "
            f"({', '.join(known)})"
        )
    if path.suffix != ".json":
        return load(path, TariffSettings)
    return _checked(path, load(path, AcnTariffSettings).tree(currency, time_zone))


def shipped() -> Iterator[tuple[str, str]]:
    """Name and text of every tariff that comes with the agent."""
    folder = resources.files("site_agent") / _FOLDER
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            yield file.name.removesuffix(".yaml"), file.read_text()


def _checked(path: Path, tree: dict[str, object]) -> TariffSettings:
    try:
        return TariffSettings.model_validate(tree)
    except ValidationError as error:
        faults = "; ".join(fault["msg"] for fault in error.errors(include_url=False))
        raise ConfigError(f"{path}: {faults}") from error


def _energy(one: ScheduleSettings) -> dict[str, object]:
    prices = [
        {"at": _clock(hour), "per_kwh": price}
        for hour, price in zip(one.times, one.tariffs, strict=True)
    ]
    return {"name": one.id, **_days(one), "prices": prices}


def _days(one: ScheduleSettings) -> dict[str, object]:
    return {
        "first": one.effective_start,
        "last": one.effective_end,
        "days": one.dow_mask.lower(),
    }


def _demand(schedules: tuple[ScheduleSettings, ...]) -> Iterator[dict[str, object]]:
    """One charge a season; weekdays and weekends of a season with the same price are one."""
    seen: set[tuple[str, str, float]] = set()
    for one in schedules:
        key = (one.effective_start, one.effective_end, one.demand_charge)
        if one.demand_charge > 0 and key not in seen:
            seen.add(key)
            yield {
                "name": f"demand {one.effective_start} to {one.effective_end}",
                "per_kw": one.demand_charge,
                "first": one.effective_start,
                "last": one.effective_end,
            }


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
