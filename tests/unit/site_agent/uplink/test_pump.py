"""Nothing is lost and nothing deleted early, whatever the gateway does."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import LinkDownError, TransientError
from contracts.reading import Quality
from contracts.site_link.messages import (
    MAX_BATCH_ROWS,
    Batch,
    BatchAck,
    Measurement,
    NumberedRow,
    Row,
)
from site_agent.uplink.pump import WINDOW, pump

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def measurement(value: float) -> Measurement:
    return Measurement(at=NOW, point="pcc_power_w", value=value, quality=Quality.GOOD)


class MemoryOutbox:
    """`site_agent.ports.Outbox` without a file."""

    epoch = "epoch-1"

    def __init__(self, rows: int = 0) -> None:
        self._rows = {seq: measurement(seq) for seq in range(1, rows + 1)}
        self._head = rows
        self._more = asyncio.Event()
        self.empty = asyncio.Event()
        if not rows:
            self.empty.set()

    def head(self) -> int:
        return self._head

    async def append(self, rows: Sequence[Row]) -> int:
        for row in rows:
            self._head += 1
            self._rows[self._head] = row  # type: ignore[assignment] # only measurements here
        self._more.set()
        self.empty.clear()
        return self._head

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        left = sorted(seq for seq in self._rows if seq > after)[:limit]
        return [NumberedRow(seq=seq, row=self._rows[seq]) for seq in left]

    async def delete_through(self, seq: int) -> None:
        self._rows = {at: row for at, row in self._rows.items() if at > seq}
        if not self._rows:
            self.empty.set()

    async def wait_for_rows(self, after: int) -> None:
        while not any(seq > after for seq in self._rows):
            self._more.clear()
            await self._more.wait()

    def left(self) -> list[int]:
        return sorted(self._rows)


class Gateway:
    """Commits batches; `plan` says, batch by batch, what goes wrong."""

    def __init__(self, plan: Sequence[str] = ()) -> None:
        self.stored: set[int] = set()
        self.under_way = 0
        self.most_under_way = 0
        self._plan = list(plan)

    async def send(self, batch: Batch) -> BatchAck:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(batch, self._plan.pop(0) if self._plan else "ok")
        finally:
            self.under_way -= 1

    async def _answer(self, batch: Batch, what: str) -> BatchAck:
        if what == "lost":
            raise LinkDownError("request lost")
        if what == "slow":
            for _ in range(20):
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        seqs = [row.seq for row in batch.rows]
        kept = seqs[: len(seqs) // 2] if what == "half" else seqs
        self.stored.update(kept)
        if what == "answer lost":
            raise LinkDownError("answer lost")
        if what == "other epoch":
            return BatchAck(epoch="epoch-0", seq=seqs[-1], gateway_time=NOW)
        ack = kept[-1] if kept else seqs[0] - 1
        return BatchAck(epoch=batch.epoch, seq=10**9 if what == "ahead" else ack, gateway_time=NOW)


async def pump_once(outbox: MemoryOutbox, gateway: Gateway) -> int:
    """Pump until it fails or everything has gone; how often there was progress."""
    progress = 0

    def progressed() -> None:
        nonlocal progress
        progress += 1

    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                pump(
                    site_id="depot-1",
                    outbox=outbox,
                    send=gateway.send,
                    now=lambda: NOW,
                    progressed=progressed,
                )
            )
            await outbox.empty.wait()
            task.cancel()
    return progress


async def test_everything_goes_in_batches_of_the_allowed_size() -> None:
    outbox, gateway = MemoryOutbox(rows=1001), Gateway()
    assert await pump_once(outbox, gateway) == 6
    assert outbox.left() == []
    assert gateway.stored == set(range(1, 1002))


async def test_the_window_is_used_and_never_exceeded() -> None:
    outbox, gateway = MemoryOutbox(rows=20 * MAX_BATCH_ROWS), Gateway(["slow"] * 20)
    await pump_once(outbox, gateway)
    assert gateway.most_under_way == WINDOW


async def test_an_answer_to_a_later_batch_deletes_nothing_while_an_earlier_one_is_open() -> None:
    outbox, gateway = MemoryOutbox(rows=3 * MAX_BATCH_ROWS), Gateway(["lost", "ok", "ok"])
    await pump_once(outbox, gateway)
    assert len(outbox.left()) == 3 * MAX_BATCH_ROWS


async def test_rows_that_come_later_are_sent_later() -> None:
    outbox, gateway = MemoryOutbox(rows=1), Gateway()
    await pump_once(outbox, gateway)
    await outbox.append([measurement(2.0)])
    await pump_once(outbox, gateway)
    assert gateway.stored == {1, 2}


async def test_an_acknowledgement_beyond_what_was_sent_deletes_only_what_was_sent() -> None:
    outbox, gateway = MemoryOutbox(rows=MAX_BATCH_ROWS), Gateway(["ahead"])
    await pump_once(outbox, gateway)
    await outbox.append([measurement(0.0)])
    assert outbox.left() == [MAX_BATCH_ROWS + 1]


async def test_what_the_gateway_does_not_take_is_left_out_and_blocks_nothing() -> None:
    outbox, gateway = MemoryOutbox(rows=5), Gateway()
    taken: list[int] = []

    def takes(_: object) -> bool:
        taken.append(1)
        return len(taken) != 3

    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            pump(
                site_id="depot-1",
                outbox=outbox,
                send=gateway.send,
                now=lambda: NOW,
                progressed=lambda: None,
                takes=takes,
            )
        )
        await outbox.empty.wait()
        task.cancel()
    assert gateway.stored == {1, 2, 4, 5}


async def test_an_acknowledgement_of_another_epoch_deletes_nothing() -> None:
    outbox, gateway = MemoryOutbox(rows=1), Gateway(["other epoch"])
    with pytest.raises(ExceptionGroup) as caught:
        await pump(
            site_id="depot-1",
            outbox=outbox,
            send=gateway.send,
            now=lambda: NOW,
            progressed=lambda: None,
        )
    assert caught.group_contains(TransientError, match="epoch-0")
    assert outbox.left() == [1]


FATES = st.sampled_from(["ok", "slow", "lost", "answer lost", "half", "other epoch", "ahead"])


@given(rows=st.integers(0, 2500), fates=st.lists(FATES, max_size=40))
def test_whatever_happens_every_row_arrives_and_none_is_deleted_before(
    rows: int, fates: list[str]
) -> None:
    async def story() -> None:
        outbox, gateway = MemoryOutbox(rows), Gateway(fates)
        while outbox.left():
            await pump_once(outbox, gateway)
            assert gateway.stored | set(outbox.left()) == set(range(1, rows + 1))
        assert gateway.stored == set(range(1, rows + 1))

    asyncio.run(story())
