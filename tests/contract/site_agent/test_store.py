"""One suite for the site's stores: SQLite on a file, and the in-memory twins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.site_link.codec import encode
from contracts.site_link.messages import (
    Fallback,
    Instruction,
    InstructionState,
    InstructionStatus,
    InstructionStep,
    Measurement,
    Notice,
    Row,
)
from site_agent.ports import InstructionStore, KeyValues, Outbox
from site_agent.store.memory import (
    MemoryInstructions,
    MemoryKeyValues,
    MemoryOutbox,
)
from site_agent.store.sqlite import open_store

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAX_ROWS = 40
EVERY_KIND: list[dict[str, Any]] = [
    {},
    {"import_limit_w": 50_000.0},
    {"export_limit_w": 0.0},
    {"load_limit_w": 0.0},
    {"generation_limit_w": -1_500.5},
    {"storage_power_w": -20_000.0},
    {"energize": False},
    {"energize": True},
    {
        "load_limit_w": 30_000.0,
        "generation_limit_w": -9.0,
        "storage_power_w": 5.0,
        "energize": True,
    },
]
"""What one step may ask for."""


@dataclass
class Stores:
    outbox: Outbox
    instructions: InstructionStore
    key_values: KeyValues


def _memory() -> Stores:
    outbox = MemoryOutbox(MAX_ROWS)
    return Stores(outbox, MemoryInstructions(outbox), MemoryKeyValues())


@pytest.fixture(params=["sqlite", "memory"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "memory":
        yield _memory()
        return
    store = open_store(tmp_path / "site.db", NOON, MAX_ROWS)
    yield Stores(store.outbox, store.instructions, store.key_values)
    store.close()


def measurement(n: int, point: str = "pcc_power_w") -> Measurement:
    at = NOON + timedelta(seconds=n)
    return Measurement(at=at, point=point, value=float(n), quality=Quality.GOOD)


def instruction(seq: int = 1, event_id: str = "e1") -> Instruction:
    return Instruction(
        instruction_id=f"i{seq}",
        site_id="depot",
        site_seq=seq,
        event_id=event_id,
        program_id="p",
        issued_at=NOON,
        start=NOON,
        expires_at=NOON + timedelta(hours=1),
        steps=(
            InstructionStep(start=NOON, end=NOON + timedelta(minutes=30), import_limit_w=50_000.0),
        ),
        fallback=Fallback(import_limit_w=60_000.0),
    )


def status(instruction_id: str, state: InstructionState) -> InstructionStatus:
    return InstructionStatus(
        at=NOON, instruction_id=instruction_id, event_id="e1", state=state, reason="why"
    )


class TestOutbox:
    async def test_rows_come_back_in_order_under_rising_numbers(self, stores: Stores) -> None:
        rows: list[Row] = [measurement(1), status("i1", InstructionState.STARTED), measurement(2)]
        assert stores.outbox.head() == 0
        assert await stores.outbox.append(rows) == 3
        found = await stores.outbox.unsent(0, 10)
        assert [numbered.seq for numbered in found] == [1, 2, 3]
        assert [numbered.row for numbered in found] == rows
        assert [numbered.seq for numbered in await stores.outbox.unsent(1, 1)] == [2]

    async def test_a_number_is_never_given_twice(self, stores: Stores) -> None:
        await stores.outbox.append([measurement(1), measurement(2)])
        await stores.outbox.delete_through(2)
        assert await stores.outbox.unsent(0, 10) == []
        assert stores.outbox.head() == 2
        assert await stores.outbox.append([measurement(3)]) == 3

    async def test_nothing_appended_changes_nothing(self, stores: Stores) -> None:
        assert await stores.outbox.append([]) == 0

    async def test_waiting_ends_when_a_row_arrives(self, stores: Stores) -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            waiter = group.create_task(stores.outbox.wait_for_rows(0))
            await stores.outbox.append([measurement(1)])
            await waiter
        await stores.outbox.wait_for_rows(0)

    async def test_a_full_outbox_drops_old_measurements_and_says_how_many(
        self, stores: Stores
    ) -> None:
        kept = status("i1", InstructionState.STARTED)
        await stores.outbox.append([kept])
        points = ("pcc_power_w", "pv_power_w")
        for n in range(100):
            await stores.outbox.append([measurement(n, point) for point in points])
        rows = [numbered.row for numbered in await stores.outbox.unsent(0, 1000)]
        assert len(rows) <= MAX_ROWS
        assert rows[0] == kept
        left = [row for row in rows if isinstance(row, Measurement)]
        gaps = [row for row in rows if isinstance(row, Notice)]
        assert {row.point for row in left} == set(points)
        assert left[-1] == measurement(99, "pv_power_w")
        assert all(gap.code == "telemetry-gap" and gap.raised for gap in gaps)
        assert sum(int(gap.text.split()[0]) for gap in gaps) == 200 - len(left)

    async def test_the_gap_is_cleared_once_the_outbox_has_drained(self, stores: Stores) -> None:
        await stores.outbox.append([measurement(n) for n in range(MAX_ROWS + 5)])
        await stores.outbox.delete_through(stores.outbox.head())
        (cleared,) = [numbered.row for numbered in await stores.outbox.unsent(0, 10)]
        assert isinstance(cleared, Notice)
        assert (cleared.code, cleared.raised) == ("telemetry-gap", False)


class TestInstructions:
    async def test_an_instruction_is_stored_as_it_came(self, stores: Stores) -> None:
        await stores.instructions.put(instruction())
        assert list(await stores.instructions.unfinished()) == [
            (instruction(), InstructionState.STORED)
        ]
        assert await stores.instructions.last_seq() == 1

    @pytest.mark.parametrize("asked", EVERY_KIND, ids=lambda asked: "+".join(asked) or "free")
    async def test_every_kind_of_bound_survives(
        self, stores: Stores, asked: dict[str, Any]
    ) -> None:
        held = instruction()
        step = InstructionStep(start=NOON, end=NOON + timedelta(minutes=30), **asked)
        held = replace(held, steps=(step,), fallback=Fallback(**asked))
        await stores.instructions.put(held)
        assert list(await stores.instructions.unfinished()) == [(held, InstructionState.STORED)]
        assert list(await stores.instructions.of_event("e1")) == [(held, InstructionState.STORED)]

    @pytest.mark.parametrize("asked", EVERY_KIND[1:], ids="+".join)
    async def test_one_that_differs_only_in_a_bound_is_a_different_one(
        self, stores: Stores, asked: dict[str, Any]
    ) -> None:
        await stores.instructions.put(replace(instruction(), fallback=Fallback()))
        with pytest.raises(PermanentError, match="already used"):
            await stores.instructions.put(replace(instruction(), fallback=Fallback(**asked)))

    async def test_the_same_again_changes_nothing(self, stores: Stores) -> None:
        await stores.instructions.put(instruction())
        await stores.instructions.record([status("i1", InstructionState.STARTED)])
        await stores.instructions.put(instruction())
        assert [state for _, state in await stores.instructions.of_event("e1")] == [
            InstructionState.STARTED
        ]

    @pytest.mark.parametrize(
        "change",
        [lambda i: replace(i, site_seq=2), lambda i: replace(i, instruction_id="other")],
        ids=["same id", "same number"],
    )
    async def test_a_different_one_under_its_name_is_refused(
        self, stores: Stores, change: Callable[[Instruction], Instruction]
    ) -> None:
        await stores.instructions.put(instruction())
        with pytest.raises(PermanentError, match="already used"):
            await stores.instructions.put(change(instruction()))

    async def test_a_state_and_its_row_go_together(self, stores: Stores) -> None:
        await stores.instructions.put(instruction())
        started = status("i1", InstructionState.STARTED)
        await stores.instructions.record([started])
        assert [n.row for n in await stores.outbox.unsent(0, 10)] == [started]
        assert [state for _, state in await stores.instructions.unfinished()] == [
            InstructionState.STARTED
        ]

    async def test_finished_ones_can_be_looked_up_but_are_not_unfinished(
        self, stores: Stores
    ) -> None:
        await stores.instructions.put(instruction(1))
        await stores.instructions.put(instruction(2))
        await stores.instructions.put(instruction(3, "other"))
        await stores.instructions.record([status("i1", InstructionState.SUPERSEDED)])
        assert [i.site_seq for i, _ in await stores.instructions.unfinished()] == [2, 3]
        assert [(i.site_seq, s) for i, s in await stores.instructions.of_event("e1")] == [
            (1, InstructionState.SUPERSEDED),
            (2, InstructionState.STORED),
        ]
        assert await stores.instructions.last_seq() == 3


async def test_what_is_asked_outlives_the_process(tmp_path: Path) -> None:
    everything = EVERY_KIND[-1]
    step = InstructionStep(start=NOON, end=NOON + timedelta(minutes=30), **everything)
    held = replace(instruction(), steps=(step,), fallback=Fallback(energize=False))
    first = open_store(tmp_path / "site.db", NOON)
    await first.instructions.put(held)
    first.close()
    second = open_store(tmp_path / "site.db", NOON)
    assert list(await second.instructions.unfinished()) == [(held, InstructionState.STORED)]
    second.close()


async def test_what_an_older_agent_stored_is_read_as_free(tmp_path: Path) -> None:
    store = open_store(tmp_path / "site.db", NOON)
    await store.instructions.put(instruction())
    body = json.loads(encode(instruction()))
    for asked in (*body["steps"], body["fallback"]):
        for name in ("load_limit_w", "generation_limit_w", "storage_power_w", "energize"):
            del asked[name]
    older = json.dumps(body).encode()
    store.database.run_now(lambda c: c.execute("UPDATE instruction SET body = ?", (older,)))
    assert list(await store.instructions.unfinished()) == [(instruction(), InstructionState.STORED)]
    store.close()


async def test_key_values(stores: Stores) -> None:
    assert await stores.key_values.get("k") is None
    await stores.key_values.put("k", "1")
    await stores.key_values.put("k", "2")
    assert await stores.key_values.get("k") == "2"
