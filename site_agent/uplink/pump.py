"""Moves the outbox to the gateway: several batches under way, deleted only when acknowledged.

Nothing is lost whatever happens to the broker, the gateway or us, because a row leaves the outbox
only after the gateway's word that it is committed, and acknowledgements are heeded strictly in the
order of the batches: an answer to a later batch says nothing while an earlier one is open.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime

from contracts.errors import TransientError
from contracts.site_link.health import Health
from contracts.site_link.messages import MAX_BATCH_ROWS, Batch, BatchAck, Row
from site_agent.ports import Outbox

WINDOW = 8
"""Batches under way at once."""

Send = Callable[[Batch], Coroutine[object, object, BatchAck]]


async def pump(
    *,
    site_id: str,
    outbox: Outbox,
    send: Send,
    now: Callable[[], datetime],
    progressed: Callable[[], None],
    takes: Callable[[Row], bool] = lambda _: True,
    health: Callable[[], Health | None] = lambda: None,
) -> None:
    """Send everything in the outbox, and what comes into it, until something fails.

    `progressed` is called for every batch that has been committed. A row that the gateway does not
    take (`takes`: an older one came in its place) is left out: it would block all behind it.
    `health` is told with every batch.

    Raises:
        ExceptionGroup[TransientError]: a batch was not acknowledged; run it again later.
    """
    under_way: deque[tuple[Batch, asyncio.Task[BatchAck]]] = deque()
    sent = 0
    async with asyncio.TaskGroup() as group:
        while True:
            while len(under_way) < WINDOW:
                rows = await outbox.unsent(sent, MAX_BATCH_ROWS)
                if not rows:
                    break
                sent = rows[-1].seq
                wanted = tuple(one for one in rows if takes(one.row))
                if not wanted:
                    continue  # they leave the outbox with the next batch
                batch = Batch(
                    site_id=site_id,
                    epoch=outbox.epoch,
                    rows=wanted,
                    sent_at=now(),
                    health=health(),
                )
                under_way.append((batch, group.create_task(send(batch))))
            if under_way:
                batch, answer = under_way.popleft()
                await _settle(outbox, batch, await answer)
                progressed()
            else:
                await outbox.wait_for_rows(sent)


async def _settle(outbox: Outbox, batch: Batch, ack: BatchAck) -> None:
    """Delete what is committed; complain when that is not the whole batch."""
    last = batch.rows[-1].seq
    if ack.epoch != batch.epoch:
        raise TransientError(f"acknowledged epoch {ack.epoch!r}, not {batch.epoch!r}")
    await outbox.delete_through(min(ack.seq, last))
    if ack.seq < last:
        raise TransientError(f"acknowledged only up to {ack.seq} of {last}")
