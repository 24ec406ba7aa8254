"""Who answers for certificates and ISO 15118 data: not we, but perhaps somebody behind us."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from contracts.errors import GridyardError
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import schemas
from site_agent.devices.ocpp.wire.frames import Json

_PATIENCE_S = 20.0
"""A charger waits about 30 s for its answer, and says nothing else meanwhile."""
_log = structlog.get_logger(__name__)


class CertificateDesk(Protocol):
    """Passes a charger's question about certificates on, to a cloud CSMS or a PKI."""

    async def ask(self, charge_point_id: str, version: Version, action: str, payload: Json) -> Json:
        """The answer to this CALL of the charger, by the schema of its version.

        Raises:
            GridyardError: there is none; the charger is told no.
        """
        ...


async def answer(
    desk: CertificateDesk | None, charge_point_id: str, version: Version, action: str,
    payload: Json, *, otherwise: Json,
) -> Json:  # fmt: skip
    """What the desk says; `otherwise` without a desk, without an answer or with a wrong one."""
    if desk is None:
        return otherwise
    try:
        schemas.check(version, schemas.request(version, action), payload)
        async with asyncio.timeout(_PATIENCE_S):
            said = await desk.ask(charge_point_id, version, action, payload)
        schemas.check(version, schemas.response(action), said)
    except (GridyardError, TimeoutError) as error:
        _log.warning(
            "certificate desk has no answer", charge_point=charge_point_id, action=action,
            reason=str(error)[:200],
        )  # fmt: skip
        return otherwise
    return said
