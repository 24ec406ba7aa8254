"""What a station makes of its profiles: the limit of each outlet, with all the station's moods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from depot_sim.chargers import profiles as smart
from depot_sim.chargers.acceptance import Case, Refusal, duplicates, refusal
from depot_sim.chargers.installed import InstalledProfiles, Profiles
from depot_sim.chargers.outlet import Outlet
from depot_sim.chargers.personality import Personality
from depot_sim.chargers.profiles import ChargingProfile, Limit, Purpose, Selection
from depot_sim.chargers.rules import Rules


@dataclass(frozen=True, slots=True)
class _Held:
    """A limit that stays true from `since` until `until` (None: for good) for these profiles."""

    profiles: Profiles
    where: tuple[object, ...]
    since: datetime
    until: datetime | None
    limit: Limit

    def holds(self, profiles: Profiles, where: tuple[object, ...], now: datetime) -> bool:
        """Whether nothing it depends on has changed."""
        return (
            self.profiles is profiles
            and self.since <= now
            and (self.until is None or now < self.until)
            and self.where == where
        )


class SmartCharging:
    """Installed profiles and the limits that follow. Limits are kept between a profile's edges."""

    def __init__(self, personality: Personality, rules: Rules) -> None:
        self._personality = personality
        self._rules = rules
        self._profiles = InstalledProfiles(timedelta(seconds=personality.apply_delay_s))
        self._held: dict[int, _Held] = {}
        self._spike_until: datetime | None = None
        self._stuck: set[int] = set()
        self._cleared = False
        self._defaults: dict[int, Profiles] = {}
        """TxDefaultProfiles as they were when the outlet's transaction began."""

    @property
    def accepted(self) -> Profiles:
        """Everything accepted and not cleared."""
        return self._profiles.accepted

    # --- the central system ------------------------------------------------------------------

    def set(
        self, profile: ChargingProfile, outlets: Mapping[int, Outlet], now: datetime
    ) -> Refusal | None:
        """Install a profile, or say why not."""
        if not self._personality.honours_profiles:
            return None
        if reason := refusal(self._case(profile, outlets)):
            return reason
        if self._rules.refuses_duplicates and duplicates(profile, self.accepted):
            return Refusal.DUPLICATE
        self._install(profile, now)
        return None

    def _case(self, profile: ChargingProfile, outlets: Mapping[int, Outlet]) -> Case:
        outlet = outlets.get(profile.evse_id)
        transaction = outlet.transaction if outlet else None
        return Case(
            profile=profile,
            personality=self._personality,
            evse_ids=frozenset(outlets),
            in_transaction=transaction is not None,
            transaction_id=transaction.ref if transaction else None,
            tx_id_required=self._rules.tx_id_required,
            bidirectional=any(
                o.evse.bidirectional for o in outlets.values() if profile.evse_id in (0, o.id)
            ),
        )

    def _install(self, profile: ChargingProfile, now: datetime) -> None:
        mood = self._personality
        if not mood.leases_expire:
            profile = replace(profile, duration_s=None, valid_to=None)
        if not mood.honours_number_phases:
            periods = tuple(replace(period, phases=None) for period in profile.periods)
            profile = replace(profile, periods=periods)
        self._profiles.install(profile, now)
        if mood.spike_s:
            self._spike_until = now + timedelta(seconds=mood.spike_s)
        if self._cleared and "clear-and-set" in mood.stuck_until:
            self._stuck.clear()
        self._cleared = False

    def clear(self, selection: Selection, now: datetime) -> int:
        """Remove the selected profiles; how many there were."""
        cleared = self._profiles.clear(selection, now)
        self._cleared = self._cleared or cleared > 0
        return cleared

    def composite(
        self, outlet: Outlet, sharing: int, now: datetime, lasting: timedelta
    ) -> list[tuple[int, Limit]]:
        """The limits of an outlet to be expected."""
        return smart.composite(self.accepted, outlet.situation(sharing), now, lasting)

    # --- the outlet --------------------------------------------------------------------------

    def begun(self, outlet: Outlet, now: datetime) -> None:
        """A transaction has begun at the outlet."""
        self._stuck.discard(outlet.id)
        effective = self._profiles.effective(now)
        self._defaults[outlet.id] = tuple(p for p in effective if p.purpose is Purpose.TX_DEFAULT)

    def ended(self, outlet: Outlet) -> None:
        """The outlet's transaction is over; its profiles go with it."""
        self._stuck.discard(outlet.id)
        self._defaults.pop(outlet.id, None)
        self._profiles.forget(Selection(purpose=Purpose.TX, evse_id=outlet.id))

    def unstick(self, outlet: Outlet) -> bool:
        """A remote start came into a running transaction; whether that helped."""
        helped = outlet.id in self._stuck and "remote-start" in self._personality.stuck_until
        if helped:
            self._stuck.discard(outlet.id)
        return helped

    def rebooted(self) -> None:
        """The station starts afresh."""
        self._spike_until = None
        if not self._personality.profiles_survive_reboot:
            self._profiles.forget(Selection())

    def follow(self, outlet: Outlet, sharing: int, now: datetime) -> Limit:
        """The limit to obey in this step; a station that gets stuck does so here."""
        limit = self.limit(outlet, sharing, now)
        if (
            self._personality.stuck_until
            and outlet.transaction is not None
            and outlet.evse.suspends(limit.current_a)
        ):
            self._stuck.add(outlet.id)
        return limit

    def limit(self, outlet: Outlet, sharing: int, now: datetime) -> Limit:
        """What an outlet may draw now: never above its rating, never more than its mood takes."""
        limit = self._by_profiles(outlet, sharing, now)
        mood = self._personality
        if outlet.id in self._stuck:
            return replace(limit, current_a=0.0)
        if outlet.evse.suspends(limit.current_a):
            return limit
        if mood.one_phase_a and limit.phases == 1 < outlet.evse.usable_phases:
            wanted_a = max(limit.current_a, min(mood.one_phase_a, outlet.evse.rated_a))
            limit = replace(limit, current_a=wanted_a)
        if self._spike_until is not None and now < self._spike_until:
            limit = replace(limit, current_a=outlet.evse.rated_a)
        return limit

    def _by_profiles(self, outlet: Outlet, sharing: int, now: datetime) -> Limit:
        profiles = self._profiles.effective(now)
        transaction = outlet.transaction
        tx = (transaction.started_at, transaction.ref) if transaction else None
        where = (tx, sharing, outlet.evse.usable_phases)
        held = self._held.get(outlet.id)
        if held is None or not held.holds(profiles, where, now):
            situation = outlet.situation(sharing)
            obeyed = self._obeyed(outlet, profiles)
            limit, until = smart.limit_until(obeyed, situation, now)
            held = self._held[outlet.id] = _Held(profiles, where, now, until, limit)
        return held.limit

    def _obeyed(self, outlet: Outlet, profiles: Profiles) -> Profiles:
        """The profiles that count at an outlet: some stations let a new default wait."""
        if not self._personality.default_waits or outlet.transaction is None:
            return profiles
        others = tuple(p for p in profiles if p.purpose is not Purpose.TX_DEFAULT)
        return (*others, *self._defaults.get(outlet.id, ()))
