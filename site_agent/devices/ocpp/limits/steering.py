"""Limits of one EVSE: a fail-safe share that rests in the charger, and a lease above it.

- No transaction: only the resting TxDefaultProfile (`fail_safe_current_a`) is there; the limit
  asked for is remembered and sent as soon as a transaction begins.
- In a transaction: a TxProfile that ends by itself after `lease_s`, renewed at a third of it while
  the control loop keeps asking. When this process or the link dies, the charger returns to its
  fail-safe share by itself. A step of an instruction is sent when it is due, not ahead of it.
- A charger that refuses every TxProfile is steered by its TxDefaultProfile, with the fail-safe
  share as second period; it returns there likewise.
- A charger that refuses 0 A is given its minimum current instead, and `confirmed` says so.
- A charger that never lets go of a limit (`probe_lease`) goes on with TxProfiles: those end with
  the transaction at least, a TxDefaultProfile would not. It is budgeted at its last limit.
- A charger that spikes at every update is raised once a minute at most, and only one of the site
  at a time (`turns`); falls never wait.
- A charger that knows no profiles is counted at its rating while a vehicle is there, and a limit
  of 0 A ends its transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits.giving import Giver
from site_agent.devices.ocpp.limits.in_force import InForce
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.lapse import Sight, probe
from site_agent.devices.ocpp.limits.outranked import Outranked
from site_agent.devices.ocpp.limits.profiles import Supply, legal_a
from site_agent.devices.ocpp.limits.resting import Resting
from site_agent.devices.ocpp.limits.turns import Turns
from site_agent.devices.ocpp.limits.upkeep import Upkeep
from site_agent.devices.ocpp.settings import Timing
from site_agent.devices.ocpp.wire.outbox import SupersededError
from site_agent.domain.device import ChargerSpec, Lapse
from site_agent.ports import KeyValues

_REFUSED_FOR = timedelta(seconds=60)
"""How long a limit refused in every form is not tried again in the same transaction."""
_LONGEST_LEASE_S = 3600.0
_log = structlog.get_logger(__name__)


class _Wish(Struct, frozen=True, kw_only=True):
    limit_a: float
    at: datetime


class Steering:
    """One writer for the charging profiles of one EVSE. `sight`: what its meter says now."""

    def __init__(
        self,
        spec: ChargerSpec,
        installer: Installer,
        *,
        timing: Timing,
        clock: Clock,
        transaction: Callable[[], Transaction | None],
        sight: Callable[[datetime], Sight | None] = lambda _: None,
        memory: KeyValues | None = None,
        limit_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._spec = spec
        self._installer = installer
        self._timing = timing
        self._clock = clock
        self._transaction = transaction
        self._sight = sight
        self._log = _log.bind(evse=spec.evse_id)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._link: Link | None = None
        self._wish: _Wish | None = None
        self._force = InForce(spec, clock=clock, transaction=transaction, memory=memory)
        self._refused: tuple[float, int, datetime] | None = None
        self._probing: float | None = None
        """The limit that is left to run out, while it is."""
        self.turns = Turns()
        """Shared by all of a site."""
        self.rank = Outranked(spec, installer, self._force, clock=clock, transaction=transaction)
        self.resting = Resting(spec, installer, self._force, self.rank, transaction=transaction)
        self._upkeep = Upkeep(spec, installer, memory)
        self.follower = self._upkeep.follower
        """What the meter shows of how it takes limits; fed by whoever has the samples."""
        self._giver = Giver(
            spec, installer, self._force, self.follower, clock=clock, limit_changed=limit_changed
        )

    # --- what is known ----------------------------------------------------------------------------

    def confirmed(self, now: datetime) -> tuple[float, datetime] | None:
        """The most that may be in force, A per phase, and since when; None when unknown."""
        transaction = self._transaction()
        if self.uncontrollable and transaction is not None:
            return self._spec.max_current_a, transaction.begun
        return self._force.confirmed(now)

    @property
    def pausable(self) -> bool:
        """False once the charger has turned 0 A into its minimum, or stayed asleep after it."""
        known = self._installer.experience.known
        return not (known.refuses_zero or known.sticks)

    def writes_a_day(self, now: datetime) -> int:
        """Profiles written to its flash within the last 24 h, of this process."""
        return self._installer.wear.per_day(now)

    @property
    def lapse(self) -> Lapse:
        """Whether it lets go of a limit by itself, as far as it has been tried."""
        return self._installer.experience.known.lapse

    @property
    def follows_within(self) -> timedelta | None:
        """How long it, or its kind, takes to follow a lower limit."""
        seen_s = self.follower.follows_s or self._installer.experience.known.follows_s
        return None if seen_s is None else timedelta(seconds=seen_s)

    def coming_a(self, now: datetime) -> float | None:
        """The highest limit that it may come to before it follows the newest, A per phase."""
        within = self.follows_within
        return None if within is None else self.follower.highest_a(now - within)

    @property
    def uncontrollable(self) -> bool:
        """It knows no charging profiles: it can only be stopped, by `set_limit(0)`."""
        return self._installer.experience.known.smart_charging is False

    @property
    def stuck(self) -> bool:
        """Its vehicle does not resume, whatever is tried."""
        return self._upkeep.stuck

    # --- over restarts ----------------------------------------------------------------------------

    async def restore(self) -> None:
        """Take up what was known before this process; the transaction must be known already."""
        await self._force.restore()
        await self._upkeep.restore()

    # --- asking -----------------------------------------------------------------------------------

    async def set_limit(self, limit_a: float) -> None:
        """As `site_agent.ports.Charger.set_limit`; what is held already costs nothing."""
        limit_a, now = legal_a(limit_a, self._spec), self._clock.now()
        self._wish = _Wish(limit_a=limit_a, at=now)
        link, transaction = self._ready_link(), self._transaction()
        if self.uncontrollable:
            running = None if transaction is None else transaction.ref
            await self._installer.stop(link, running, limit_a)
            return
        if transaction is None:
            self.resting.require()
            return
        if not self._holds_or_waits(limit_a, transaction, now):
            if self._turn.locked():  # an older one may be unsent still
                link.session.withdraw(self._installer.lease_key)
            await self._tell(link, transaction, limit_a, now)

    def transaction_changed(self) -> None:
        """Another transaction runs, or none."""
        self._force.lease = None
        self._refused = None
        self._upkeep.transaction_changed()
        self._changed.set()

    def rebooted(self) -> None:
        """The charger has restarted; what it holds is not known until it accepts it again."""
        self._force.forget()
        self._refused = None

    def supplied(self, supply: Supply) -> None:
        """The phases in use or the voltage are known better; limits in W are told anew."""
        if supply is not self._installer.supply and supply != self._installer.supply:
            self._installer.supply = supply
            self._changed.set()

    # --- over one connection ----------------------------------------------------------------------

    def connected(self, link: Link) -> None:
        """A new connection; it can be used once it is ready."""
        self._link = link

    def disconnected(self, link: Link) -> None:
        """A connection is gone; what it carried stays in force in the charger."""
        if self._link is link:
            self._link = None

    async def set_up(self, link: Link) -> None:
        """Install the fail-safe share; the limit in force is then told again.

        Raises:
            TransientError: no answer.
            PermanentError: refused in every form.
        """
        async with self._turn:
            await self.resting.install(link)
        self._force.tell_again()
        self._changed.set()

    async def outranked(self, by: str, *, lasting: bool) -> None:
        """As `Outranked.found`; our fail-safe share goes above what lasts, if the charger can.

        Raises:
            LinkDownError: the connection is gone.
        """
        link = self._link
        if await self.rank.found(by, lasting=lasting) and link is not None:
            async with self._turn:
                await self.resting.put_above(link)

    async def keep(self) -> None:
        """Tell the limit when a transaction begins, and renew it, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._renew())

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._hold()

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep(self._timing.lease_s / 12)
            await self._hold()
            await self._look_after()

    async def _look_after(self) -> None:
        now = self._clock.now()
        confirmed = self.confirmed(now)
        limit_a = None if confirmed is None else confirmed[0]
        if await self._upkeep.tick(self._link, self._transaction(), limit_a, self._sight(now), now):
            self._force.tell_again()
            await self._hold()

    async def _hold(self) -> None:
        """Tell what was asked for, if the charger does not hold it and it is still meant."""
        wish, transaction = self._wish, self._transaction()
        if wish is None or transaction is None or self._link is None:
            return
        now = self._clock.now()
        if self._holds_or_waits(wish.limit_a, transaction, now):
            return
        silent_s = (now - wish.at).total_seconds()
        if self.uncontrollable or silent_s > self._timing.patience_s:
            return
        try:
            await self._tell(self._ready_link(), transaction, wish.limit_a, now)
        except (TransientError, PermanentError) as error:
            self._log.info("limit not told", limit_a=wish.limit_a, reason=str(error))

    def _ready_link(self) -> Link:
        if self._link is None:
            raise TransientError(f"{self._spec.evse_id}: offline")
        if not self._link.ready:
            raise TransientError(f"{self._spec.evse_id}: just connected")
        return self._link

    def _holds_or_waits(self, limit_a: float, transaction: Transaction, now: datetime) -> bool:
        holds = self._holds(limit_a, transaction, now)
        return holds or self._may_wait(limit_a, transaction, now)

    def _holds(self, limit_a: float, transaction: Transaction, now: datetime) -> bool:
        lease = self._force.lease
        if lease is None or lease.transaction_id != transaction.id:
            return False
        if self._probing is not None and limit_a >= self._probing:
            return True  # left to run out on purpose
        return (
            lease.asked_a == limit_a
            and (lease.supply == self._installer.supply or not self._installer.in_watts)
            and now < lease.renew_at
        )

    def _may_wait(self, limit_a: float, transaction: Transaction, now: datetime) -> bool:
        """As `Turns.wait`, where every update is a spike; `_renew` comes back to it."""
        spikes = self._installer.experience.known.spikes
        confirmed = self._force.confirmed(now) if spikes else None
        if confirmed is None:
            return False  # or it may hold anything
        lease = self._force.lease
        if lease is not None and lease.transaction_id != transaction.id:
            lease = None
        return self.turns.wait(self._spec.evse_id, limit_a, confirmed[0], lease, now)

    # --- telling ----------------------------------------------------------------------------------

    async def _tell(
        self, link: Link, transaction: Transaction, limit_a: float, now: datetime
    ) -> None:
        waits = self._turn.locked()
        async with self._turn:
            if waits:
                now = self._clock.now()
                if self._holds(limit_a, transaction, now):
                    return
            now = await self._giver.ripen(transaction, now)
            self._still_meant(transaction, limit_a, now)
            await self._give(link, transaction, limit_a, self._lease_s(now), now)

    async def _give(
        self,
        link: Link,
        transaction: Transaction,
        limit_a: float,
        lasting_s: float,
        begun: datetime,
    ) -> None:
        try:
            await self._giver.give(link, transaction, limit_a, lasting_s, begun)
        except PermanentError:
            self._still_meant(transaction, None, begun)  # refused because the transaction is over?
            self._refused = (limit_a, transaction.id, begun + _REFUSED_FOR)
            raise

    def _lease_s(self, now: datetime) -> float:
        """Longer where the flash has been written too often (`limits.wear`)."""
        stretch = self._installer.wear.stretch(now)
        base_s = self._timing.lease_s
        return max(base_s, min(_LONGEST_LEASE_S, stretch * base_s))

    def _still_meant(self, transaction: Transaction, limit_a: float | None, now: datetime) -> None:
        """Raises when the transaction or (unless None) the limit has changed, or was refused."""
        if self._transaction() is not transaction:
            raise TransientError(f"{self._spec.evse_id}: the transaction has ended")
        if limit_a is None:
            return
        if self._wish is not None and self._wish.limit_a != limit_a:
            raise SupersededError(f"{self._spec.evse_id}: a newer limit is wanted")
        if self._refused is not None:
            refused_a, transaction_id, until = self._refused
            same = (refused_a, transaction_id) == (limit_a, transaction.id)
            if same and now < until:
                raise PermanentError(f"{self._spec.evse_id}: has just refused {limit_a} A")

    # --- learning ---------------------------------------------------------------------------------

    async def probe_lease(self) -> Lapse:
        """Let a short lease run out and see by the meter whether the charger lets go of it.

        In a running transaction that draws well above the fail-safe share. The limit is the one
        in force, never a higher one; a lower one asked for meanwhile ends the trial.

        Raises:
            TransientError: it cannot be told now; the text says why.
            PermanentError: no limit is accepted.
        """
        link, transaction = self._ready_link(), self._transaction()
        lease = self._force.lease
        if transaction is None or lease is None or lease.asked_a is None:
            raise TransientError(f"{self._spec.evse_id}: no transaction with a limit in force")
        limit_a = lease.limit_a

        async def give(lasting_s: float) -> None:
            async with self._turn:
                await self._give(link, transaction, limit_a, lasting_s, self._clock.now())

        def undisturbed() -> bool:
            kept = self._force.lease is not None and self._force.lease.limit_a == limit_a
            return kept and self._transaction() is transaction and self._link is link

        self._probing = limit_a
        try:
            lapse = await probe(
                give, self._sight, undisturbed,
                limit_a=limit_a, rest_a=self._force.rest_a, clock=self._clock,
            )  # fmt: skip
        finally:
            self._probing = None
            self._force.tell_again()
            self._changed.set()
        await self._installer.experience.learn(lapse=lapse)
        return lapse
