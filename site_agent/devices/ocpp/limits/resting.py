"""The fail-safe share that rests in the charger of one EVSE, under every limit."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from contracts.errors import LinkDownError, PermanentError, TransientError
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits import readback
from site_agent.devices.ocpp.limits.in_force import InForce
from site_agent.devices.ocpp.limits.installer import Installer, Link
from site_agent.devices.ocpp.limits.outranked import Outranked
from site_agent.domain.device import ChargerSpec

_log = structlog.get_logger(__name__)


class Resting:
    """Puts the share in, above a stranger's profile if one outranks it."""

    def __init__(
        self,
        spec: ChargerSpec,
        installer: Installer,
        force: InForce,
        rank: Outranked,
        *,
        transaction: Callable[[], Transaction | None],
    ) -> None:
        self._evse_id = spec.evse_id
        self._installer = installer
        self._force = force
        self._rank = rank
        self._transaction = transaction
        self._refused = False

    @property
    def share_a(self) -> float | None:
        """What rests in the charger, A per phase; None: nothing that is known of."""
        return None if self._force.resting is None else self._force.resting[0]

    def require(self) -> None:
        """Without a transaction the share is all there is.

        Raises:
            PermanentError: the charger refuses it in every form.
            TransientError: it is not there yet.
        """
        if self._force.resting is None:
            missing = f"{self._evse_id}: has no fail-safe share"
            raise PermanentError(missing) if self._refused else TransientError(missing)

    async def install(self, link: Link) -> None:
        """Put it in, with no profile of an earlier life of ours beside it.

        Raises:
            TransientError: no answer.
            PermanentError: refused in every form.
        """
        try:
            if self._transaction() is None:
                await readback.clear(link, self._installer.connector)
            await self._put(link)
            if await self._rank.share(link):
                await self._put(link)
            self._refused = False
        except PermanentError:
            self._force.resting, self._refused = None, True
            raise

    async def put_above(self, link: Link) -> None:
        """Put it above what others have left there, if the charger can.

        Raises:
            LinkDownError: the connection is gone.
        """
        try:
            await self._put(link)
        except LinkDownError:
            raise
        except (TransientError, PermanentError) as error:
            _log.warning("share not put above a stranger's", evse=self._evse_id, reason=str(error))

    async def _put(self, link: Link) -> None:
        self._force.rests(await self._installer.rest(link))
        if self._installer.overwrites_rest:
            self._force.lease = None
