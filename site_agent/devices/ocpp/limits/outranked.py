"""Whether somebody else's charging profile counts before ours, by what all of them allow."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits import readback
from site_agent.devices.ocpp.limits.follow import most
from site_agent.devices.ocpp.limits.in_force import InForce
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.profiles import Supply
from site_agent.domain.device import ChargerSpec

_log = structlog.get_logger(__name__)


class Outranked:
    """What one EVSE's composite schedule shows; every method raises LinkDownError."""

    def __init__(
        self,
        spec: ChargerSpec,
        installer: Installer,
        force: InForce,
        *,
        clock: Clock,
        transaction: Callable[[], Transaction | None],
    ) -> None:
        self._spec = spec
        self._installer = installer
        self._force = force
        self._clock = clock
        self._transaction = transaction
        self.by = ""
        """Profiles of others that stand above ours, in words."""

    async def share(self, link: Link) -> bool:
        """Whether more than the fail-safe share is allowed outside of a transaction, as news."""
        known = self._installer.experience
        if self._transaction() is not None or known.known.outranked:
            return False
        said = await readback.composite(link, self._installer.connector, self._installer.supply)
        await known.learn(composite=said is not None)
        rest_a = self._force.rest_a
        if said is None or not rest_a + 1.0 < said.periods[0].limit_a < self._spec.max_current_a:
            return False
        _log.warning("a stranger's profile outranks the share", evse=self._spec.evse_id, said=said)
        await known.learn(outranked=True)
        return True

    async def limit(self, link: Link) -> float | None:
        """What is allowed, A per phase, if it is more than our limit in a running transaction."""
        held, transaction = self._force.lease, self._transaction()
        if held is None or transaction is None or held.asked_a is None:
            return None
        # an answer in W of a charger that is told A is for all its phases, used or not
        supply = self._installer.supply if self._installer.in_watts else Supply.of(self._spec)
        said = await readback.composite(link, self._installer.connector, supply)
        unchanged = self._force.lease is held and self._clock.now() < held.ends_at
        if said is None or not unchanged or self._transaction() is not transaction:
            return None
        allowed_a = said.periods[0].limit_a
        return allowed_a if allowed_a > most(max(held.limit_a, 0.0)) else None

    async def found(self, by: str, *, lasting: bool) -> bool:
        """Others' profiles stand above ours, or none (`by` is empty).

        `lasting`: they outlive the transaction. Whether our share must go above them now.
        """
        if by and by != self.by:
            _log.warning("a stranger's profile outranks ours", evse=self._spec.evse_id, by=by)
        self.by = by
        if not lasting or self._installer.experience.known.outranked:
            return False
        await self._installer.experience.learn(outranked=True)
        return True
