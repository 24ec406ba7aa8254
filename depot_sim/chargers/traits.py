"""The traits a personality is composed of: what each name sets, and what it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from depot_sim.chargers.profiles import RateUnit


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that is a number within `least`..`most` and sets the field `sets`."""

    sets: str
    least: float
    most: float
    whole: bool = False

    def read(self, value: object) -> float | int:
        """The number.

        Raises:
            ValueError: not one, or out of range.
        """
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ValueError(f"{value!r} is not a number")
        if not self.least <= value <= self.most or (self.whole and value != int(value)):
            kind = "whole number" if self.whole else "number"
            raise ValueError(f"{value} is not a {kind} within {self.least:g}..{self.most:g}")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Words:
    """A parameter that is one of some words, each standing for a value of the field `sets`."""

    sets: str
    words: Mapping[str, object]

    def read(self, value: object) -> object:
        """The value of the word.

        Raises:
            ValueError: none of the words.
        """
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"{value!r} is none of {', '.join(self.words)}")
        return self.words[value]


@dataclass(frozen=True, slots=True)
class Trait:
    """One named deviation: the fields of `Personality` it sets, and its parameters by name.

    The first parameter is the one meant by a bare value, as in `{slow: 45}`.
    """

    sets: Mapping[str, Any] = field(default_factory=dict)
    takes: Mapping[str, Number | Words] = field(default_factory=dict)


def _same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


_REMEDIES = {
    "clear-and-set": frozenset({"clear-and-set"}),
    "remote-start": frozenset({"remote-start"}),
    "either": frozenset({"clear-and-set", "remote-start"}),
}

_PROFILES = {
    "accepts-and-ignores": Trait({"honours_profiles": False}),
    "no-profiles": Trait({"serves_profiles": False}),
    "keeps-expired-profile": Trait(
        {"leases_expire": False}, {"periods": Number("max_periods", 1, 1000, whole=True)}
    ),
    "answers-in-watts": Trait({"composite_unit": RateUnit.WATT}),
    "composite-empty": Trait(
        {"composite": "endless"},
        {"how": Words("composite", _same("endless", "rejected", "nothing"))},
    ),
    "amps-only": Trait({"rate_units": frozenset({RateUnit.AMPERE})}),
    "watts-only": Trait(
        {"rate_units": frozenset({RateUnit.WATT})},
        {"spelt": Words("watt_word", _same("Power", "W"))},
    ),
    "rejects-zero": Trait({"accepts_zero": False}),
    "loses-profile-on-reboot": Trait({"profiles_survive_reboot": False}),
    "waits-next-tx": Trait({"default_waits": True}),
    "stack-zero-only": Trait({"max_stack_level": 0}),
    "no-cpmax": Trait({"has_station_max": False}),
    "rejects-max-stack": Trait(
        {"max_stack_level": 3, "refuses_max_stack": True},
        {"level": Number("max_stack_level", 1, 1000, whole=True)},
    ),
    "ignores-number-phases": Trait({"honours_number_phases": False}),
}
_POWER = {
    "slow": Trait({"apply_delay_s": 30.0}, {"s": Number("apply_delay_s", 0, 3600)}),
    "spikes-on-update": Trait({"spike_s": 5.0}, {"for_s": Number("spike_s", 0.1, 600)}),
    "stuck-suspended": Trait(
        {"stuck_until": _REMEDIES["either"]}, {"until": Words("stuck_until", _REMEDIES)}
    ),
    "phase-switch": Trait({"one_phase_a": 20.0}, {"to_a": Number("one_phase_a", 6, 1000)}),
}
_METER = {
    "energy-only-kwh": Trait({"energy_only_kwh": True}),
    "power-reads-zero": Trait({"power_reads_zero": True}),
    "dirty-samples": Trait(
        {"dirty_every": 1}, {"every": Number("dirty_every", 1, 1000, whole=True)}
    ),
}
_LINK = {
    "no-boot-on-reconnect": Trait({"boots_on_reconnect": False}),
    "replays-late": Trait(
        {"replay_after_s": 30.0}, {"after_s": Number("replay_after_s", 0, 86_400)}
    ),
    "ends-first": Trait(
        {"ends_first": "unknown"}, {"of": Words("ends_first", _same("unknown", "running"))}
    ),
    "stale-transaction-after-reboot": Trait({"forgets_transaction": True}),
    "bad-frames": Trait(
        {"bad_frame_every_s": 10.0}, {"every_s": Number("bad_frame_every_s", 0.1, 86_400)}
    ),
    "odd-subprotocol": Trait(
        {"offers": "none"}, {"offers": Words("offers", _same("none", "misspelt", "unknown"))}
    ),
    "no-pong": Trait({"pongs": False}),
    "deaf": Trait(
        {"deaf_after_calls": 0},
        {"after_calls": Number("deaf_after_calls", 0, 1_000_000, whole=True)},
    ),
    "ignores-trigger": Trait(
        {"on_trigger": "silent"}, {"how": Words("on_trigger", _same("silent", "idle"))}
    ),
    "twin-socket": Trait({"twin_after_s": 5.0}, {"after_s": Number("twin_after_s", 0, 86_400)}),
}

TRAITS: Mapping[str, Trait] = MappingProxyType(
    {"good": Trait(), **_PROFILES, **_POWER, **_METER, **_LINK}
)
