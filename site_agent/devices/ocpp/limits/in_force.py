"""What one EVSE holds, as far as is certain; kept over restarts of ours.

What counts is always the most that may be in force: an unanswered raise counts, and so does a
lease that has run out, since some chargers never let go of one. The most that a transaction may
have been given is written before it is sent, in steps, so that a restart knows it and a burst of
small raises costs no writing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits.profiles import Supply
from site_agent.domain.device import ChargerSpec
from site_agent.ports import KeyValues

_STEP_A = 8.0
"""The most a transaction may have been given is written up to the next multiple of this."""


class Held(Struct, frozen=True, kw_only=True):
    """A limit the charger holds in a transaction."""

    limit_a: float
    since: datetime
    asked_a: float | None = None
    """What it was asked for; None: must be told again."""
    begun: datetime
    """When it was last sent."""
    lasting: timedelta
    transaction_id: int
    supply: Supply | None = None
    """What a limit in W was reckoned with."""

    @property
    def renew_at(self) -> datetime:
        """When it is sent again."""
        return self.begun + self.lasting / 3

    @property
    def must_renew_at(self) -> datetime:
        """When it is sent again whatever stands against it."""
        return self.begun + 2 * self.lasting / 3

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself, in a charger that lets it."""
        return self.begun + self.lasting


class InForce:
    """The fail-safe share and the limit above it, of one EVSE."""

    def __init__(
        self,
        spec: ChargerSpec,
        *,
        clock: Clock,
        transaction: Callable[[], Transaction | None],
        memory: KeyValues | None,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._transaction = transaction
        self._memory = memory
        self._key = f"ocpp/held/{spec.evse_id}"
        self._written: tuple[int, float] | None = None
        """(transaction, the most it may have been given)."""
        self.resting: tuple[float, datetime] | None = None
        """The fail-safe share it has accepted, and since when."""
        self.lease: Held | None = None

    def confirmed(self, now: datetime) -> tuple[float, datetime] | None:
        """The most that may be in force, A per phase, and since when; None when unknown.

        Unknown: nothing was accepted yet, or the transaction is older than this process and was
        not ours before, so that a stranger's profile may be on it.
        """
        transaction, lease = self._transaction(), self.lease
        if transaction is None:
            return self.resting
        if lease is None or lease.transaction_id != transaction.id:
            return self.resting if transaction.witnessed else None
        if now < lease.ends_at or lease.limit_a >= self.rest_a:
            return lease.limit_a, lease.since
        return self.rest_a, lease.ends_at

    @property
    def rest_a(self) -> float:
        """The fail-safe share, as accepted or else as wished."""
        return self._spec.fail_safe_current_a if self.resting is None else self.resting[0]

    def rests(self, limit_a: float) -> None:
        """The fail-safe share was accepted."""
        if self.resting is None or self.resting[0] != limit_a:
            self.resting = (limit_a, self._clock.now())

    def note(self, held: Held) -> None:
        """A limit was accepted; the same as before keeps its age."""
        before = self.lease
        if before is not None and before.limit_a == held.limit_a and held.begun < before.ends_at:
            held = replace(held, since=before.since)
        self.lease = held

    def unanswered(self, held: Held) -> None:
        """A raise that found no answer may be in force; so may what was there before a cut."""
        confirmed, current = self.confirmed(self._clock.now()), self._transaction()
        if current is not None and current.id == held.transaction_id and confirmed is not None:
            self.note(replace(held, limit_a=max(held.limit_a, confirmed[0]), asked_a=None))

    def tell_again(self) -> None:
        """Whatever is held must be told again."""
        if self.lease is not None:
            self.lease = replace(self.lease, asked_a=None)

    def forget(self) -> None:
        """The charger has restarted; what it holds is not known until it accepts it again."""
        self.resting = self.lease = None

    # --- over a restart of ours -------------------------------------------------------------------

    def knows(self, transaction_id: int, limit_a: float) -> bool:
        """Whether so much is in the book already."""
        written = self._written
        return written is not None and written[0] == transaction_id and written[1] >= limit_a

    async def about_to_hold(self, transaction_id: int, limit_a: float) -> None:
        """A limit is about to be sent that the book does not know (`knows`)."""
        most_a = min(self._spec.max_current_a, math.ceil(limit_a / _STEP_A) * _STEP_A)
        most_a = max(most_a, limit_a, self.rest_a)
        if self._memory is None or self.knows(transaction_id, most_a):
            return
        self._written = (transaction_id, most_a)
        text = json.dumps({"transaction": transaction_id, "most_a": most_a})
        await self._memory.put(self._key, text)

    async def restore(self) -> None:
        """Take up the limit of the transaction that has outlived us, if it was ours."""
        transaction = self._transaction()
        text = None if self._memory is None else await self._memory.get(self._key)
        if transaction is None or text is None:
            return
        try:
            held = json.loads(text)
            number, most_a = int(held["transaction"]), float(held["most_a"])
        except (ValueError, TypeError, KeyError):
            return
        if number != transaction.id or not math.isfinite(most_a):
            return
        now = self._clock.now()
        self._written = (number, most_a)
        self.lease = Held(
            limit_a=most_a, since=now, begun=now, lasting=timedelta(0), transaction_id=number
        )
