"""One limit on its way to the charger, and what is known of it afterwards whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits.follow import Follower
from site_agent.devices.ocpp.limits.in_force import Held, InForce
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.wire.outbox import SupersededError
from site_agent.domain.device import ChargerSpec

_RIPENS_S = 1.0
"""A charger that has just been told the id of its transaction needs a moment to know it."""


class Giver:
    """Sends limits to one EVSE and keeps the book of what may be in force."""

    def __init__(
        self,
        spec: ChargerSpec,
        installer: Installer,
        force: InForce,
        follower: Follower,
        *,
        clock: Clock,
        limit_changed: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._installer = installer
        self._force = force
        self._follower = follower
        self._clock = clock
        self._limit_changed = limit_changed

    async def ripen(self, transaction: Transaction, now: datetime) -> datetime:
        """Wait until the charger surely knows the id of its transaction; the time then.

        Raises:
            TransientError: it has not named it yet.
        """
        if transaction.ref is None:
            raise TransientError(f"{self._spec.evse_id}: has not named its transaction yet")
        age_s = (now - transaction.begun).total_seconds()
        if age_s >= _RIPENS_S:
            return now
        await self._clock.sleep(_RIPENS_S - age_s)
        return self._clock.now()

    async def give(
        self,
        link: Link,
        transaction: Transaction,
        limit_a: float,
        lasting_s: float,
        begun: datetime,
    ) -> None:
        """Send a limit that ends `lasting_s` after `begun`, which is now.

        Raises:
            SupersededError: a newer one took its place; nothing was sent.
            TransientError: no answer; the more of both may be in force.
            PermanentError: refused in every form.
        """
        before = self._force.confirmed(begun)
        most_a = max(limit_a, self._spec.min_current_a)
        if not self._force.knows(transaction.id, most_a):
            await self._force.about_to_hold(transaction.id, most_a)

        def held(accepted_a: float) -> Held:
            return Held(
                limit_a=accepted_a,
                since=self._clock.now(),
                asked_a=limit_a,
                begun=begun,
                lasting=timedelta(seconds=lasting_s),
                transaction_id=transaction.id,
                supply=self._installer.supply,
            )

        try:
            accepted_a = await self._installer.lease(
                link,
                limit_a,
                rest_a=self._force.rest_a,
                lasting_s=lasting_s,
                transaction_ref=transaction.ref or "",
                now=begun,
            )
        except SupersededError:
            raise
        except (TransientError, asyncio.CancelledError):
            self._force.unanswered(held(limit_a))
            raise
        now_held = held(accepted_a)
        self._force.note(now_held)
        if before is None or before[0] != accepted_a:
            self._limit_changed()
        self._follower.told(now_held.since, before and before[0], accepted_a)
