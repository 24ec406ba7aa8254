"""One EVSE of a charging station, as the flows see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.ocpp.evse.ceilings import Ceilings
from site_agent.devices.ocpp.evse.meter import Meter
from site_agent.devices.ocpp.evse.metering import Metering
from site_agent.devices.ocpp.evse.presence import Presence
from site_agent.devices.ocpp.evse.refusal import Refusal
from site_agent.devices.ocpp.evse.transactions import Transaction, Transactions
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.knowledge import Knowledge, Model
from site_agent.devices.ocpp.limits.steering import Steering
from site_agent.devices.ocpp.limits.wear import Wear
from site_agent.devices.ocpp.settings import Timing
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.domain.device import ChargerSetpoint, ChargerSpec, ChargerState
from site_agent.domain.fleet.access import Access, Running
from site_agent.domain.fleet.identity import Presented
from site_agent.ports import KeyValues, SessionStore, Wake

_USUAL_INTERVAL_S = 60.0
"""Sampling interval assumed when none is asked for."""
_log = structlog.get_logger(__name__)


class OcppCharger:
    """`site_agent.ports.Charger` over OCPP.

    `alone`: it is its station's only EVSE, so station-wide profiles are its own.
    """

    def __init__(
        self,
        spec: ChargerSpec,
        connector: int,
        *,
        alone: bool,
        timing: Timing,
        clock: Clock,
        sessions: SessionStore,
        wake: Wake,
        tally: Tally,
        access: Access | None = None,
        memory: KeyValues | None = None,
    ) -> None:
        self._spec = spec
        self._presence = Presence(spec.evse_id, access or Access())
        self._clock = clock
        self._wake = wake
        self._silence = timedelta(seconds=timing.silence_s)
        self._meter = Meter(spec, timing.meter_interval_s or _USUAL_INTERVAL_S)
        self._transactions = Transactions(spec.evse_id, sessions, clock)
        self._metering = Metering(
            spec, self._meter, self._transactions, sessions, clock=clock, tally=tally
        )
        installer = Installer(
            spec,
            connector,
            alone=alone,
            now=clock.now,
            their_time=self._meter.clock.to_theirs,
        )
        self.steering = Steering(
            spec,
            installer,
            timing=timing,
            clock=clock,
            transaction=lambda: self._transactions.current,
            sight=self._metering.sight,
            limit_changed=self._meter.limit_changed,
            memory=memory,
        )
        self._installer = installer
        self.ceilings = Ceilings()
        """What others limit it to; say `ceiling_changed` afterwards."""
        self.refusal = Refusal(
            spec.evse_id, lambda: self._transactions.current, clock=clock, memory=memory, wake=wake,
            steered=lambda: not self.steering.uncontrollable,
        )  # fmt: skip
        self.ceilings.put("refused card", [self.refusal])
        self._vehicle_discharges: bool | None = None
        self._link: Link | None = None
        self._plugged: bool | None = None
        self._known: Transaction | None = None
        self.asked_a: float | None = None
        """The limit last asked for, A per phase."""
        self.trial_a: float | None = None
        """Lower limit that a person tries meanwhile; it never raises what is asked for."""

    # --- the port ---------------------------------------------------------------------------------

    @property
    def spec(self) -> ChargerSpec:
        """What it is."""
        return self._spec

    def state(self, now: datetime) -> ChargerState:
        """What is known of it; whether it obeys is judged by whoever compares all devices."""
        transaction = self._transactions.current
        confirmed = self.steering.confirmed(now)
        return ChargerState(
            spec=self._spec,
            online=self._online(now),
            plugged=bool(self._plugged) or (self._plugged is None and transaction is not None),
            transaction_id=None if transaction is None else str(transaction.id),
            id_tag=None if transaction is None else transaction.id_tag,
            power_w=self._idle(now) or self._meter.power_w(now),
            current_a=self._idle(now) or self._meter.current_a(now),
            energy_wh=self._meter.energy_wh(transaction.start_wh, now)
            if transaction is not None
            else Reading.missing(now),
            soc_pct=self._meter.soc_pct(now),
            confirmed_limit_a=None if confirmed is None else confirmed[0],
            limit_in_force_since=None if confirmed is None else confirmed[1],
            pausable=self.steering.pausable,
            controllable=not self.steering.uncontrollable,
            lapse=self.steering.lapse,
            follows_within=self.steering.follows_within,
            coming_a=self.steering.coming_a(now),
            phases_used=self._meter.phases_used,
            stuck=self.steering.stuck,
            outranked=self.knowledge.outranked or bool(self.steering.rank.by),
            outranked_by=self.steering.rank.by,
            refused=self.refusal.stands,
            ceiling_a=self.ceilings.at(now),
            bidirectional=self._bidirectional(),
            identity=self._presence.who(None if transaction is None else transaction.id_tag)
            if transaction is not None or self._plugged
            else None,
        )

    async def set_limit(self, setpoint: ChargerSetpoint) -> None:
        """Returns when the charger has accepted the limit, or holds it already.

        Outside of a transaction that is the resting fail-safe share; the limit itself is sent as
        soon as a transaction begins. Ask at least every `Timing.patience_s`, or the limit ends.
        A negative limit discharges where `state` says `bidirectional`; elsewhere it means 0.

        Raises:
            TransientError: offline or silent; the loop tries again.
            PermanentError: refused in every form the charger knows.
        """
        self.asked_a = setpoint.limit_a
        ceiling_a = self.ceilings.at(self._clock.now())
        limit_a = setpoint.limit_a if ceiling_a is None else min(setpoint.limit_a, ceiling_a)
        if self.trial_a is not None:
            limit_a = min(limit_a, self.trial_a)
        await self.steering.set_limit(limit_a if self._bidirectional() else max(limit_a, 0.0))

    # --- the station tells ------------------------------------------------------------------------

    async def restore(self) -> None:
        """Adopt a transaction that outlived the process before this one."""
        await self._transactions.restore()
        self._known = self._transactions.current
        await self.steering.restore()
        await self.refusal.restore()

    def is_a(self, model: Model) -> None:
        """What kind of charger it is, with what is known and will be learnt of it."""
        self._installer.experience.model = model

    @property
    def knowledge(self) -> Knowledge:
        """What it, or its kind, has shown."""
        return self._installer.experience.known

    @property
    def wear(self) -> Wear:
        """How often its flash has been written."""
        return self._installer.wear

    @property
    def can_stop(self) -> bool:
        """It knows no limits, but a limit of 0 A ends the transaction that runs."""
        return self.steering.uncontrollable and self._transactions.current is not None

    def connected(self, link: Link) -> None:
        """A new connection; of use once the station calls `set_up`."""
        self._link = link
        self.steering.connected(link)

    def disconnected(self, link: Link) -> None:
        """A connection is gone."""
        self.steering.disconnected(link)
        if self._link is link:
            self._link = None
            self._wake()

    @property
    def transaction_ref(self) -> str | None:
        """Its transaction's id as the charger knows it."""
        current = self._transactions.current
        return None if current is None else current.ref

    @property
    def clock_behind(self) -> timedelta:
        """Our clock less the charger's, as far as its samples have shown."""
        return self._meter.clock.behind

    @property
    def transaction_id(self) -> int | None:
        """Our id of its transaction."""
        return None if self._known is None else self._known.id

    async def set_up(self, link: Link) -> None:
        """The charger's capabilities are known: install its fail-safe share.

        Raises:
            TransientError: no answer.
            PermanentError: refused in every form.
        """
        self._wake()
        await self.steering.set_up(link)

    def runs(self, remote_id: str) -> bool:
        """Whether its transaction is this one, by its id on the wire."""
        current = self._transactions.current
        return current is not None and current.wire_id == remote_id

    async def knows(self, ref: str) -> bool:
        """Whether a transaction with this id on the wire runs or ran here."""
        return await self._transactions.number_of(ref) is not None

    def rebooted(self) -> None:
        """The charger has restarted: everything about it is in doubt until it says so again."""
        self._transactions.doubt()
        self.ceilings.rebooted()
        self.steering.rebooted()

    # --- the charger tells ------------------------------------------------------------------------

    def status(
        self, plugged: bool | None, *, charging: bool = False, surely_idle: bool = False
    ) -> None:
        """Whether a vehicle is on the cable (None: it does not say).

        `charging`: a state that only a transaction has. `surely_idle`: one that none can have.
        """
        before = self._plugged
        self._plugged = before if plugged is None else plugged
        if charging:
            self._transactions.charging()
        if self._plugged is False:
            self._presence.leave()
            self._meter.forget_vehicle()
            self._vehicle_discharges = None
            self._transactions.vanished(for_sure=surely_idle)
        self._changed(before is not self._plugged)

    def present(self, presented: Presented) -> None:
        """Something is told of the one at this plug; `state` has it until the plug is drawn."""
        self._changed(self._presence.present(presented))

    @property
    def running(self) -> Running | None:
        """Its transaction and whose card began it."""
        now = self._transactions.current
        return None if now is None else Running(evse_id=self._spec.evse_id, token=now.id_tag)

    def ceiling_changed(self) -> None:
        """Others limit it differently now."""
        self._wake()

    def vehicle_discharges(self, offered: bool | None) -> None:
        """Whether the vehicle on the cable offers to discharge; None: it has not said."""
        if offered is not self._vehicle_discharges:
            self._vehicle_discharges = offered
            self._wake()

    async def started(
        self, id_tag: str | None, at: datetime, meter_wh: float | None, remote_id: str | None
    ) -> int:
        """A transaction began; its id. Without a register, the last one known stands in."""
        if meter_wh is None:
            meter_wh = self._meter.register_wh
        number = await self._transactions.started(id_tag, at, meter_wh, remote_id)
        self._plugged = True
        self._changed()
        return number

    async def continued(
        self, id_tag: str | None, at: datetime, register_wh: float | None, remote_id: str
    ) -> None:
        """A 2.0.1 charger speaks of a running transaction."""
        await self._transactions.continued(id_tag, at, register_wh, remote_id)
        self._changed()

    async def ended(
        self, ref: str, at: datetime, meter_wh: float | None, reason: str, samples: Sequence[Sample]
    ) -> None:
        """A transaction is over, by its id on the wire; it may be one we never saw.

        `samples`: of its whole course, as far as they come with its end.
        """
        started_at = min((at, *(sample.at for sample in samples)))
        number = await self._transactions.ended(ref, started_at, at, meter_wh, reason)
        self._changed()
        await self._metering.keep_late(number, samples)

    async def metered(
        self, samples: Sequence[Sample], bad: int = 0, *, ref: str | None = None
    ) -> None:
        """Samples, with the wire's id of their transaction if they name one.

        Returns once those told late are stored.
        """
        now = self._clock.now()
        fresh, late = self._metering.sort(samples, bad, now)
        if fresh:
            self._learn(now)
            if ref is not None:
                await self._transactions.mentioned(ref, fresh[0].at)
            self._changed()
        await self._metering.keep(ref, fresh, late)

    # --- inside -----------------------------------------------------------------------------------

    def _learn(self, now: datetime) -> None:
        """What fresh samples show of how it takes limits, and of the phases in use."""
        self.steering.supplied(self._meter.supply())
        drawn = self._meter.drawn_a(now)
        if drawn.value is not None and drawn.quality.usable and self._transactions.current:
            self.steering.follower.sampled(drawn.at, drawn.value)

    def _changed(self, also: bool = False) -> None:
        """Wake the loop if another transaction runs, or something else (`also`) is new."""
        current = self._transactions.current
        if current is not self._known:
            self._known = current
            if current is None:
                self._meter.rest(self._clock.now())
            self.steering.transaction_changed()
            also = True
        if also:
            self._wake()

    def _bidirectional(self) -> bool:
        """The settings allow it, and the vehicle says so, or of a silent one its station (2.1)."""
        link, said = self._link, self._vehicle_discharges
        if self._spec.max_discharge_a <= 0 or link is None or not link.dialect.discharges:
            return False
        return link.capabilities.discharges if said is None else said

    def _online(self, now: datetime) -> bool:
        """Connected, introduced, and heard of lately."""
        link = self._link
        return link is not None and link.ready and now - link.session.last_seen <= self._silence

    def _idle(self, now: datetime) -> Reading | None:
        """Outside of a transaction its contactor is open and many chargers fall silent: 0, derived.

        Only while it is online and says what its outlet is doing; a fresh measurement goes first.
        """
        measured = self._meter.power_w(now)
        idle = self._transactions.current is None and self._plugged is not None
        if not idle or measured.quality is Quality.GOOD or self._link is None:
            return None
        if not self._online(now):
            return None
        return Reading(value=0.0, quality=Quality.ESTIMATED, at=self._link.session.last_seen)
