"""What has been learnt about charger models, kept over restarts of ours.

By vendor, model and firmware, as the charger introduces itself: a new charger of a known model
starts with what is known, a new firmware starts as unknown. A charger that has never introduced
itself has knowledge of its own until it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from site_agent.devices.ocpp.limits.profiles import Capabilities, Form, Kind, Purpose, RateUnit
from site_agent.devices.ocpp.versions.words import Nameplate
from site_agent.domain.device import Lapse
from site_agent.ports import KeyValues

_STATION = "ocpp/station/"
_LONGEST_WORD = 50
"""Characters of a vendor, model or firmware (1.6 allows 20 to 50, 2.0.1 50)."""
_MOST_MODELS = 1000
_NOT_OF_ITS_KIND = ("outranked",)
"""Facts about one charger that say nothing about the next."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What a model has shown; None: not known. Connector 1 in a form stands for the EVSE's own."""

    resting: Form | None = None
    """The form of the fail-safe share that it takes."""
    lease: Form | None = None
    """The form of a limit that it takes."""
    smart_charging: bool | None = None
    """False: it knows no charging profiles at all."""
    refuses_zero: bool = False
    """It turns a limit of 0 A into its minimum."""
    sticks: bool = False
    """It has stayed suspended after a pause."""
    spikes: bool = False
    """It draws up to its rating for some seconds whenever it is told a limit, also a lower one or
    the same again: a spike (`limits.turns`)."""
    outranked: bool = False
    """A profile that is not ours stands above our fail-safe share at stack level 0."""
    composite: bool | None = None
    """Whether its composite schedules can be read."""
    lapse: Lapse = Lapse.UNKNOWN
    """Whether it lets go of a limit by itself (`limits.lapse`)."""
    follows_s: float | None = None
    """Longest it has been seen to take to follow a lower limit, s."""
    capabilities: Capabilities | None = None
    """As it last said; used when its settings cannot be read."""


class Model:
    """One charger model and the knowledge of it; shared by every charger of the kind."""

    def __init__(self, key: str, memory: KeyValues | None, known: Knowledge | None = None) -> None:
        self.key = key
        self.known = known or Knowledge()
        self._memory = memory

    async def learn(self, **facts: object) -> None:
        """A charger of this kind has shown these fields of `Knowledge`; written only if news.

        What the first one has shown stays: chargers of a kind may be set up differently, and each
        goes by its own experience. Only what is worse than known replaces it.
        """
        known = _joined(self.known, facts)
        if known == self.known:
            return
        self.known = known
        _log.info("learnt about a charger model", model=self.key, facts=sorted(facts))
        if self._memory is not None:
            await self._memory.put(self.key, json.dumps(asdict(known)))


class Experience:
    """What one EVSE has shown, and as far as it has not, what its kind has."""

    def __init__(self) -> None:
        self._own: dict[str, object] = {}
        self._joined: tuple[Knowledge, Knowledge] | None = None
        self.model = Model("", None)
        self._taught = self.model
        """Which model has been told everything of its own."""

    @property
    def known(self) -> Knowledge:
        """Its own experience before its kind's."""
        kind = self.model.known
        if self._joined is None or self._joined[0] is not kind:
            self._joined = (kind, _with(kind, self._own))
        return self._joined[1]

    async def learn(self, **facts: object) -> None:
        """It has shown these fields of `Knowledge`; what it showed before costs nothing."""
        if self._taught is self.model and facts.items() <= self._own.items():
            return
        self._own |= facts
        self._joined = None
        self._taught = self.model
        shared = {name: value for name, value in facts.items() if name not in _NOT_OF_ITS_KIND}
        await self.model.learn(**shared)


def _with(known: Knowledge, facts: Mapping[str, object]) -> Knowledge:
    changed: Knowledge = replace(known, **facts)  # type: ignore[arg-type]  # by their names
    return changed


def _joined(known: Knowledge, facts: Mapping[str, object]) -> Knowledge:
    unknown = Knowledge()
    news = {
        name: value
        for name, value in facts.items()
        if getattr(known, name) == getattr(unknown, name) or _worse(name, known, value)
    }
    return _with(known, news)


def _worse(name: str, known: Knowledge, value: object) -> bool:
    """Whether a fact asks for more care than what is known; a charger's settings simply change."""
    match name, value:
        case "follows_s", float():
            return value > (known.follows_s or 0.0)
        case "lapse", _:
            return value is Lapse.NONE
        case _:
            return name == "capabilities"


class Models:
    """Every model met so far. Without a memory, only for as long as this process lives."""

    def __init__(self, memory: KeyValues | None) -> None:
        self._memory = memory
        self._models: dict[str, Model] = {}

    async def of(self, charge_point_id: str, nameplate: Nameplate | None) -> Model:
        """The model of a station; without a nameplate, by what it last said it is."""
        where = f"ocpp/nameplate/{charge_point_id}"
        if nameplate is None:
            key = await self._read(where)
            return await self._named(key or _STATION + charge_point_id)
        key = _key(nameplate)
        if self._memory is not None and await self._read(where) != key:
            await self._memory.put(where, key)
        return await self._named(key)

    async def _named(self, key: str) -> Model:
        if key not in self._models and len(self._models) >= _MOST_MODELS:
            return Model(key, None)  # somebody makes names up
        if key not in self._models:
            text = await self._read(key)
            model = Model(key, self._memory, None if text is None else read(text))
            self._models.setdefault(key, model)
        return self._models[key]

    async def _read(self, key: str) -> str | None:
        return None if self._memory is None else await self._memory.get(key)


def _key(plate: Nameplate) -> str:
    words = (plate.vendor, plate.model, plate.firmware or "")
    return "ocpp/model/" + "/".join(word.strip()[:_LONGEST_WORD] for word in words)


def read(text: str) -> Knowledge:
    """Knowledge as it was written; nothing at all if it cannot be read (another version of us)."""
    try:
        held = json.loads(text)
        return replace(Knowledge(), **{name: _value(name, value) for name, value in held.items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("knowledge of a charger model cannot be read", reason=str(error))
        return Knowledge()


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON in, a field of any type out
    match name, value:
        case _, None:
            return None
        case (("resting" | "lease"), _):
            return _form(value)
        case "lapse", _:
            return Lapse(value)
        case "capabilities", _:
            return Capabilities(**{**value, "units": tuple(RateUnit(u) for u in value["units"])})
        case _:
            return value


def _form(held: Mapping[str, Any]) -> Form:
    return Form(
        purpose=Purpose(held["purpose"]),
        kind=Kind(held["kind"]),
        unit=RateUnit(held["unit"]),
        stack_level=int(held["stack_level"]),
        connector=int(held["connector"]),
        phases_told=bool(held["phases_told"]),
    )
