"""Limits of one EVSE: a fail-safe share that rests in the charger, and a lease above it.

- No transaction: only the resting TxDefaultProfile (`fail_safe_current_a`) is there; the limit
  asked for is remembered and sent as soon as a transaction begins.
- In a transaction: a TxProfile that ends by itself after `lease_s`, renewed at a third of it while
  the control loop keeps asking. When this process or the link dies, the charger returns to its
  fail-safe share by itself.
- A charger that refuses every TxProfile is steered by its TxDefaultProfile, with the fail-safe
  share as second period; it returns there likewise.
- A charger that refuses 0 A is given its minimum current instead, and `confirmed` says so.

What counts as confirmed is always the most that may be in force: an unanswered raise counts, and
so does a lease that has run out, since some chargers never let go of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.profiles import legal_a
from site_agent.devices.ocpp.settings import Timing
from site_agent.devices.ocpp.wire.outbox import SupersededError
from site_agent.domain.device import ChargerSpec

_RIPENS_S = 1.0
"""A charger that has just been told the id of its transaction needs a moment to know it."""
_REFUSED_FOR = timedelta(seconds=60)
"""How long a limit refused in every form is not tried again in the same transaction."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    limit_a: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What the charger holds."""

    limit_a: float
    since: datetime
    asked_a: float | None = None
    """What it was asked for; None: must be told again."""
    renew_at: datetime
    ends_at: datetime
    transaction_id: int


class Steering:
    """One writer for the charging profiles of one EVSE."""

    def __init__(
        self,
        spec: ChargerSpec,
        installer: Installer,
        *,
        timing: Timing,
        clock: Clock,
        transaction: Callable[[], Transaction | None],
    ) -> None:
        self._spec = spec
        self._installer = installer
        self._timing = timing
        self._clock = clock
        self._transaction = transaction
        self._log = _log.bind(evse=spec.evse_id)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._link: Link | None = None
        self._wish: _Wish | None = None
        self._resting: tuple[float, datetime] | None = None
        self._restless = False
        """The charger refuses its fail-safe share in every form."""
        self._lease: _Held | None = None
        self._refused: tuple[float, int, datetime] | None = None

    # --- what is in force -------------------------------------------------------------------------

    def confirmed(self, now: datetime) -> tuple[float, datetime] | None:
        """The most that may be in force, A per phase, and since when; None when unknown.

        Unknown: nothing was accepted yet, or the transaction is older than this process, so that
        a profile of an earlier life may be on it.
        """
        transaction, lease = self._transaction(), self._lease
        if transaction is None:
            return self._resting
        if lease is None or lease.transaction_id != transaction.id:
            return self._resting if transaction.witnessed else None
        if now < lease.ends_at or lease.limit_a >= self._rest_a():
            return lease.limit_a, lease.since
        return self._rest_a(), lease.ends_at

    @property
    def pausable(self) -> bool:
        """False once the charger has turned 0 A into its minimum."""
        return not self._installer.refuses_zero

    # --- asking -----------------------------------------------------------------------------------

    async def set_limit(self, limit_a: float) -> None:
        """As `site_agent.ports.Charger.set_limit`; what is held already costs nothing."""
        limit_a = legal_a(limit_a, self._spec)
        self._wish = _Wish(limit_a=limit_a, at=self._clock.now())
        link, transaction = self._ready_link(), self._transaction()
        if transaction is None:
            if self._resting is None:
                refused = f"{self._spec.evse_id}: has no fail-safe share"
                raise PermanentError(refused) if self._restless else TransientError(refused)
            return
        if not self._holds(limit_a, transaction):
            link.session.withdraw(self._installer.lease_key)  # an older one, if it is still unsent
            await self._tell(link, transaction, limit_a)

    def transaction_changed(self) -> None:
        """Another transaction runs, or none."""
        self._lease = None
        self._refused = None
        self._changed.set()

    def rebooted(self) -> None:
        """The charger has restarted; what it holds is not known until it accepts it again."""
        self._resting = None
        self._lease = None
        self._refused = None

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
            try:
                self._rests(await self._installer.rest(link))
                self._restless = False
            except PermanentError:
                self._resting, self._restless = None, True
                raise
        if self._lease is not None:
            self._lease = replace(self._lease, asked_a=None)
        self._changed.set()

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

    async def _hold(self) -> None:
        """Tell what was asked for, if the charger does not hold it and it is still meant."""
        wish, transaction = self._wish, self._transaction()
        if wish is None or transaction is None or self._link is None:
            return
        if self._holds(wish.limit_a, transaction):
            return
        if (self._clock.now() - wish.at).total_seconds() > self._timing.patience_s:
            return
        try:
            await self._tell(self._ready_link(), transaction, wish.limit_a)
        except (TransientError, PermanentError) as error:
            self._log.info("limit not told", limit_a=wish.limit_a, reason=str(error))

    def _ready_link(self) -> Link:
        if self._link is None:
            raise TransientError(f"{self._spec.evse_id}: offline")
        if not self._link.ready:
            raise TransientError(f"{self._spec.evse_id}: just connected")
        return self._link

    def _holds(self, limit_a: float, transaction: Transaction) -> bool:
        lease = self._lease
        return (
            lease is not None
            and lease.transaction_id == transaction.id
            and lease.asked_a == limit_a
            and self._clock.now() < lease.renew_at
        )

    # --- telling ----------------------------------------------------------------------------------

    async def _tell(self, link: Link, transaction: Transaction, limit_a: float) -> None:
        async with self._turn:
            if self._holds(limit_a, transaction):
                return
            await self._ripen(transaction)
            self._still_meant(transaction, limit_a)
            begun = self._clock.now()
            try:
                accepted_a = await self._installer.lease(
                    link,
                    limit_a,
                    rest_a=self._rest_a(),
                    lasting_s=self._timing.lease_s,
                    transaction_ref=transaction.ref or "",
                )
            except SupersededError:
                raise  # nothing was sent
            except PermanentError:
                self._still_meant(transaction, None)  # refused because the transaction is over?
                self._refused = (limit_a, transaction.id, begun + _REFUSED_FOR)
                raise
            except (TransientError, asyncio.CancelledError):
                self._unanswered(transaction, limit_a, begun)
                raise
            self._note(transaction, accepted_a, limit_a, begun)

    async def _ripen(self, transaction: Transaction) -> None:
        if transaction.ref is None:
            raise TransientError(f"{self._spec.evse_id}: has not named its transaction yet")
        age_s = (self._clock.now() - transaction.begun).total_seconds()
        if age_s < _RIPENS_S:
            await self._clock.sleep(_RIPENS_S - age_s)

    def _still_meant(self, transaction: Transaction, limit_a: float | None) -> None:
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
            if same and self._clock.now() < until:
                raise PermanentError(f"{self._spec.evse_id}: has just refused {limit_a} A")

    # --- remembering ------------------------------------------------------------------------------

    def _rests(self, limit_a: float) -> None:
        if self._resting is None or self._resting[0] != limit_a:
            self._resting = (limit_a, self._clock.now())
        if self._installer.overwrites_rest:
            self._lease = None

    def _note(
        self, transaction: Transaction, limit_a: float, asked_a: float | None, begun: datetime
    ) -> None:
        held = self._lease
        same = held is not None and held.limit_a == limit_a and begun < held.ends_at
        lasting = timedelta(seconds=self._timing.lease_s)
        self._lease = _Held(
            limit_a=limit_a,
            since=held.since if held is not None and same else self._clock.now(),
            asked_a=asked_a,
            renew_at=begun + lasting / 3,
            ends_at=begun + lasting,
            transaction_id=transaction.id,
        )

    def _unanswered(self, transaction: Transaction, limit_a: float, begun: datetime) -> None:
        """A raise that found no answer may be in force; so may what was there before a cut."""
        confirmed = self.confirmed(self._clock.now())
        if self._transaction() is transaction and confirmed is not None:
            self._note(transaction, max(limit_a, confirmed[0]), None, begun)

    def _rest_a(self) -> float:
        return self._spec.fail_safe_current_a if self._resting is None else self._resting[0]
