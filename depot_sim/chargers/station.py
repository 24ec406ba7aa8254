"""A charging station without its wire: outlets, transactions, profiles and settings.

Two sides act on it: the world (`plug`, `unplug`, `step`) and the central system (`authorized`,
`begin`, `end`, `set_profile`...). What the central system must be told goes to `outbox`.
No energy flows outside a transaction, and none starts before the central system has said yes,
unless its settings let the station start on its own word.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.agenda import Agenda
from depot_sim.chargers.events import (
    AuthorizationWanted,
    Context,
    EndReason,
    Metered,
    Sample,
    StatusChanged,
    Transaction,
    TransactionChanged,
    TransactionEnded,
    TransactionStarted,
)
from depot_sim.chargers.local_list import KnownTokens, Listed
from depot_sim.chargers.outbox import Outbox
from depot_sim.chargers.outlet import Outlet
from depot_sim.chargers.personality import Personality
from depot_sim.chargers.profiles import ChargingProfile, Limit, Selection
from depot_sim.chargers.reservations import Reservations
from depot_sim.chargers.rules import Rules, StationSettings
from depot_sim.chargers.smart_charging import SmartCharging
from depot_sim.physics.evse import Evse
from depot_sim.physics.phases import PhaseWatts, total
from depot_sim.physics.vehicle import Vehicle


class Station:
    """State of one charging station. Not thread-safe; everything happens on the event loop."""

    def __init__(
        self,
        *,
        evses: Mapping[int, Evse],
        personality: Personality,
        rules: Rules,
        settings: StationSettings,
    ) -> None:
        self.outlets = {evse_id: Outlet(id=evse_id, evse=evse) for evse_id, evse in evses.items()}
        self.personality = personality
        self.settings = settings
        self.outbox = Outbox(keeps_samples=personality.replay_after_s is not None)
        self.agenda = Agenda()
        self.tokens = KnownTokens(settings)
        self.reservations = Reservations(self.outlets, self.outbox, self._refresh_all)
        self.expected: dict[int, tuple[datetime, Callable[[], object]]] = {}
        """By outlet, a remote start that waits for a vehicle: until when, and how it begins."""
        self.online_since: datetime | None = None
        """None while there is no accepted link to the central system."""
        self.rules = rules
        self._charging = SmartCharging(personality, rules)

    # --- the world ---------------------------------------------------------------------------

    @property
    def phases_w(self) -> PhaseWatts:
        """What the whole station draws, phase by phase."""
        return total(outlet.evse.phases_w for outlet in self.outlets.values())

    def plug(self, evse_id: int, vehicle: Vehicle, now: datetime) -> None:
        """Put a vehicle on the cable; it shows its tag at once.

        Raises:
            ValueError: the outlet is taken.
        """
        outlet = self.outlets[evse_id]
        if outlet.evse.vehicle is not None:
            raise ValueError(f"outlet {evse_id} is taken by {outlet.evse.vehicle.id}")
        outlet.evse = replace(outlet.evse, vehicle=vehicle)
        outlet.finished = False
        self._refresh(outlet, now)
        if (expected := self.expected.pop(evse_id, None)) is not None:
            until, begin = expected
            if now < until:
                begin()
        if outlet.transaction is None and outlet.tag_shown is None:
            self.present(evse_id, vehicle.id_tag, now)

    def present(self, evse_id: int, id_tag: str, now: datetime) -> None:
        """Somebody shows a tag: to start or, with the tag or group of the transaction, to stop."""
        outlet = self.outlets[evse_id]
        if outlet.transaction is not None and outlet.transaction.id_tag == id_tag:
            self.end(evse_id, EndReason.LOCAL, now)
            return
        outlet.tag_shown = id_tag
        self._ask_about_tag(outlet, now)

    def unplug(self, evse_id: int, now: datetime) -> Vehicle | None:
        """Take the vehicle off the cable, ending its transaction; the vehicle as it leaves."""
        outlet = self.outlets[evse_id]
        self.end(evse_id, EndReason.EV_DISCONNECTED, now)
        vehicle = outlet.evse.vehicle
        outlet.evse = replace(outlet.evse, vehicle=None)
        outlet.tag_shown = None
        self._refresh(outlet, now)
        return vehicle

    def step(self, now: datetime, dt_s: float, *, powered: bool = True) -> None:
        """Let `dt_s` pass. Without power nothing flows and nobody notices anything."""
        for outlet in self.outlets.values():
            limit = self._charging.follow(outlet, self._sharing(), now)
            outlet.evse = outlet.evse.step(
                dt_s,
                limit_a=limit.current_a,
                phases=limit.phases,
                energised=powered and outlet.transaction is not None,
            )
            if powered:
                self._refresh(outlet, now)
                if outlet.sample_due(now, self.settings.meter_interval_s):
                    self.meter(outlet, Context.PERIODIC, now)
        if powered:
            self.agenda.run_due(now)
            self.reservations.expire(now)

    # --- transactions ------------------------------------------------------------------------

    def authorized(self, evse_id: int, id_tag: str, now: datetime, word: Listed) -> None:
        """The central system's word on a tag shown at an outlet."""
        self.tokens.cache.learn(id_tag, word)
        outlet = self.outlets[evse_id]
        waiting = outlet.tag_shown == id_tag
        outlet.tag_shown = None
        if not waiting or not word.accepted:
            return
        if outlet.transaction is None:
            self.begin(evse_id, id_tag, now)
        elif word.group is not None and word.group == outlet.transaction.group:
            self.end(evse_id, EndReason.LOCAL, now)

    def begin(
        self,
        evse_id: int,
        id_tag: str,
        now: datetime,
        remote_start_id: int | None = None,
        tag_type: str | None = None,
    ) -> Transaction | None:
        """Start a transaction; None unless an operative, free outlet has a vehicle it is for."""
        outlet = self.startable(evse_id, id_tag)
        if outlet is None or outlet.evse.vehicle is None:
            return None
        reservation_id = self.reservations.use(evse_id, now)
        outlet.tag_shown = None
        outlet.sampled_at = None
        outlet.transaction = Transaction(
            evse_id=evse_id,
            id_tag=id_tag,
            started_at=now,
            start_wh=outlet.evse.register_wh,
            ref=str(uuid.uuid4()) if self.rules.own_transaction_ids else None,
            remote_start_id=remote_start_id,
            tag_type=tag_type or outlet.evse.vehicle.tag_type,
            group=self.tokens.group_of(id_tag),
            reservation_id=reservation_id,
        )
        outlet.evse = replace(outlet.evse, vehicle=outlet.evse.vehicle.woken())
        self._charging.begun(outlet, now)
        status = outlet.status_under(self.limit(evse_id, now))
        sample = self.sample(outlet, now, Context.BEGIN)
        self.outbox.put(
            TransactionStarted(at=now, transaction=outlet.transaction, status=status, sample=sample)
        )
        self._refresh(outlet, now)
        return outlet.transaction

    def end(self, evse_id: int, reason: EndReason, now: datetime) -> None:
        """End the outlet's transaction, if any; its profiles go with it."""
        outlet = self.outlets[evse_id]
        if outlet.transaction is None:
            return
        earlier = tuple(outlet.recent) if self.personality.ends_first else ()
        self.outbox.put(
            TransactionEnded(
                at=now,
                transaction=outlet.transaction,
                reason=reason,
                sample=self.sample(outlet, now, Context.END),
                earlier=earlier,
            )
        )
        self._finish(outlet, now)

    def _finish(self, outlet: Outlet, now: datetime) -> None:
        outlet.over()
        outlet.evse = outlet.evse.step(0.0, limit_a=0.0, phases=1, energised=False)
        self._charging.ended(outlet)
        self._refresh(outlet, now)

    def startable(self, evse_id: int | None, id_tag: str, *, plugged: bool = True) -> Outlet | None:
        """The outlet (None: any) for this tag, with a vehicle or waiting for one."""
        group = self.tokens.group_of(id_tag)
        for outlet in self.outlets.values():
            fits = self.reservations.admits(outlet.id, id_tag, group)
            if evse_id in (None, outlet.id) and fits and outlet.is_free(plugged=plugged):
                return outlet
        return None

    def outlet_of(self, transaction_ref: str) -> Outlet | None:
        """The outlet that runs this transaction."""
        for outlet in self.outlets.values():
            if outlet.transaction is not None and outlet.transaction.ref == transaction_ref:
                return outlet
        return None

    def reboot(self, reason: EndReason, now: datetime) -> None:
        """Forget the sessions: transactions end, vehicles will show their tags again."""
        for outlet in self.outlets.values():
            if self.personality.forgets_transaction:
                self._finish(outlet, now)
            self.end(outlet.id, reason, now)
            outlet.finished = False
            outlet.tag_shown = outlet.evse.vehicle.id_tag if outlet.evse.vehicle else None
        self.expected.clear()
        self._charging.rebooted()

    def wake(self, evse_id: int | None) -> Transaction | None:
        """A remote start meets a running transaction: the one it woke from sleep or suspension."""
        for outlet in self.outlets.values():
            vehicle = outlet.evse.vehicle
            if outlet.transaction is None or vehicle is None or evse_id not in (None, outlet.id):
                continue
            unstuck = self._charging.unstick(outlet)
            if unstuck or vehicle.asleep:
                outlet.evse = replace(outlet.evse, vehicle=vehicle.woken())
                return outlet.transaction
        return None

    # --- telling -----------------------------------------------------------------------------

    def repeat_statuses(self, now: datetime) -> None:
        """Tell every outlet's status again."""
        for outlet in self.outlets.values():
            self.tell_status(outlet, now)

    def tell_status(self, outlet: Outlet, now: datetime) -> None:
        """Tell the outlet's status as it is."""
        self.outbox.put(StatusChanged(at=now, evse_id=outlet.id, status=outlet.status))

    def repeat_tags(self, now: datetime) -> None:
        """Ask again about every tag still waiting."""
        for outlet in self.outlets.values():
            self._ask_about_tag(outlet, now)

    def meter(self, outlet: Outlet, context: Context, now: datetime) -> None:
        """Tell the outlet's meter."""
        sample = self.sample(outlet, now, context)
        outlet.recent.append(sample)
        apart = self.personality.power_reads_zero and self.rules.own_transaction_ids
        self.outbox.put(
            Metered(
                at=now,
                evse_id=outlet.id,
                transaction=None if apart else outlet.transaction,
                status=outlet.status,
                sample=sample,
            )
        )

    def stick_meter(self, *, stuck: bool) -> None:
        """Let every meter stand still at what it shows now, or run again."""
        for outlet in self.outlets.values():
            outlet.meter_stuck_at = (outlet.meter_stuck_at or outlet.evse) if stuck else None

    def sample(self, outlet: Outlet, now: datetime, context: Context) -> Sample:
        """The outlet's meter as this station shows it."""
        sample = outlet.sample(now, context)
        if not self.personality.power_reads_zero:
            return sample
        return replace(sample, power_w=0.0, currents_a=())

    def set_online(self, now: datetime, *, online: bool) -> None:
        """The link has been accepted or lost; a tag still waiting may start on our own word."""
        self.online_since = now if online else None
        if not online:
            self.repeat_tags(now)

    def _ask_about_tag(self, outlet: Outlet, now: datetime) -> None:
        tag = outlet.tag_shown
        if tag is None:
            return
        vehicle = outlet.evse.vehicle
        tag_type = vehicle.tag_type if vehicle and vehicle.id_tag == tag else "ISO14443"
        online = self.online_since is not None
        if tag_type == "NoAuthorization" or self.tokens.admit(tag, now, online=online):
            self.begin(outlet.id, tag, now)
        if outlet.tag_shown is not None:
            self.outbox.put(
                AuthorizationWanted(at=now, evse_id=outlet.id, id_tag=tag, tag_type=tag_type)
            )

    def _refresh(self, outlet: Outlet, now: datetime) -> None:
        reserved = self.reservations.of(outlet.id) is not None
        status = outlet.status_under(self.limit(outlet.id, now), reserved=reserved)
        if status is outlet.status:
            return
        outlet.status = status
        self.tell_status(outlet, now)
        if outlet.transaction is not None:
            self.outbox.put(
                TransactionChanged(at=now, transaction=outlet.transaction, status=status)
            )

    def _refresh_all(self, now: datetime) -> None:
        for outlet in self.outlets.values():
            self._refresh(outlet, now)

    # --- availability ------------------------------------------------------------------------

    def set_operative(self, evse_id: int, now: datetime, *, operative: bool) -> str:
        """Take an outlet (0: all) in or out of service; the status to answer."""
        outlets = [o for o in self.outlets.values() if evse_id in (0, o.id)]
        for outlet in outlets:
            outlet.set_operative(operative=operative)
            self._refresh(outlet, now)
        if any(outlet.operative_next is not None for outlet in outlets):
            return "Scheduled"
        return "Accepted" if outlets else "Rejected"

    # --- smart charging ----------------------------------------------------------------------

    def limit(self, evse_id: int, now: datetime) -> Limit:
        """What an outlet may draw now, never above its rating."""
        return self._charging.limit(self.outlets[evse_id], self._sharing(), now)

    def set_profile(self, profile: ChargingProfile, now: datetime) -> Refusal | None:
        """Install a profile, or say why not."""
        return self._charging.set(profile, self.outlets, now)

    @property
    def profiles(self) -> tuple[ChargingProfile, ...]:
        """Everything accepted and not cleared."""
        return self._charging.accepted

    def clear_profiles(self, selection: Selection, now: datetime) -> int:
        """Remove the selected profiles; how many there were."""
        return self._charging.clear(selection, now)

    def composite(
        self, evse_id: int, now: datetime, lasting: timedelta
    ) -> list[tuple[int, Limit]] | None:
        """The expected limits of an outlet; None from a station that has no idea."""
        if not self.personality.honours_profiles:
            return None
        outlet = self.outlets[evse_id]
        return self._charging.composite(outlet, self._sharing(), now, lasting)

    def _sharing(self) -> int:
        """Outlets that share the station's maximum."""
        busy = sum(outlet.transaction is not None for outlet in self.outlets.values())
        return max(1, busy)
