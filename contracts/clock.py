"""The real clock: the one module that may ask the operating system for the time."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """`contracts.time.Clock` over the operating system."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)
