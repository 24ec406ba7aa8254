"""The profiles a station holds, and when a change of them takes effect."""

from __future__ import annotations

from datetime import datetime, timedelta

from depot_sim.chargers.profiles import ChargingProfile, Selection, install

Profiles = tuple[ChargingProfile, ...]


class InstalledProfiles:
    """The newest set is what was accepted; `effective` lags behind it by the station's delay."""

    def __init__(self, delay: timedelta) -> None:
        self._delay = delay
        self._sets: list[tuple[datetime | None, Profiles]] = [(None, ())]

    @property
    def accepted(self) -> Profiles:
        """Everything accepted and not cleared."""
        return self._sets[-1][1]

    def effective(self, now: datetime) -> Profiles:
        """The set the hardware obeys at `now`."""
        while len(self._sets) > 1 and self._due(self._sets[1][0], now):
            self._sets.pop(0)
        return self._sets[0][1]

    def install(self, profile: ChargingProfile, now: datetime) -> None:
        """Accept a profile."""
        self._change(install(self.accepted, profile), now)

    def clear(self, selection: Selection, now: datetime) -> int:
        """Drop the selected profiles; how many there were."""
        kept = tuple(profile for profile in self.accepted if profile not in selection)
        dropped = len(self.accepted) - len(kept)
        if dropped:
            self._change(kept, now)
        return dropped

    def forget(self, selection: Selection) -> None:
        """Drop the selected profiles from the past as well: their transaction is over."""
        self._sets = [
            (due, tuple(profile for profile in profiles if profile not in selection))
            for due, profiles in self._sets
        ]

    def _change(self, profiles: Profiles, now: datetime) -> None:
        self._sets.append((now + self._delay, profiles))

    @staticmethod
    def _due(due: datetime | None, now: datetime) -> bool:
        return due is None or due <= now
