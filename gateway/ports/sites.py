"""The way to the sites, and what is done with what they say."""

from __future__ import annotations

import asyncio
from typing import Protocol

from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Credentials,
    Hello,
    Instruction,
    InstructionAck,
    Renew,
    Welcome,
)
from contracts.site_link.prices import Prices, PricesAck


class SiteMessages(Protocol):
    """What the gateway does with messages from sites (implemented by the flows)."""

    async def hello(self, hello: Hello) -> Welcome:
        """A site's agent has (re)connected."""
        ...

    async def batch(self, batch: Batch) -> BatchAck:
        """Store a batch; returns only after commit."""
        ...

    async def renew(self, renew: Renew) -> Credentials:
        """Longer credentials for a connected site.

        Raises:
            PermanentError: its user key is revoked, or this gateway issues none.
            ProtocolError: the signing request makes no sense.
        """
        ...

    async def connected(self, site_id: str) -> None:
        """The site has its Welcome: send it every unexpired instruction it has not seen."""
        ...


class SiteLink(Protocol):
    """The way to the sites."""

    async def send(self, instruction: Instruction) -> asyncio.Future[InstructionAck]:
        """Send an instruction; the future is done when the site has stored or rejected it.

        Raises, at once or by the future:
            LinkDownError: the site is not listening, or did not answer in time.
        """
        ...

    async def send_prices(self, prices: Prices) -> PricesAck:
        """Deliver prices; returns when the site has stored or refused them.

        Raises:
            LinkDownError: as `send`.
        """
        ...

    async def run(self, handler: SiteMessages) -> None:
        """Serve the link until cancelled."""
        ...
