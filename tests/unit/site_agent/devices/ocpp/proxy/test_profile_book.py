"""The cloud's charging profiles: kept in the charger's place, as long as their rules allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.proxy.ledger import Ledger
from site_agent.devices.ocpp.proxy.profile_book import ProfileBook
from site_agent.devices.ocpp.proxy.reading import ProfileError
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.store.memory import MemoryKeyValues
from support.ocpp_depot import spec

pytestmark = pytest.mark.row("safety:S7")


def wire(number: int, limit_a: float, purpose: str = "TxDefaultProfile", **more: Any) -> Json:
    periods = [{"startPeriod": 0, "limit": limit_a}]
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    kind = {"chargingProfileKind": "Absolute", "chargingProfilePurpose": purpose}
    return {"id": number, "stackLevel": 0, "chargingSchedule": [schedule], **kind, **more}


@dataclass
class Yard:
    """A station with the EVSEs 1 and 2."""

    clock: FakeClock = field(default_factory=FakeClock)
    memory: MemoryKeyValues = field(default_factory=MemoryKeyValues)
    changes: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger("CP1", self.memory)
        self.book = self.opened()

    def opened(self) -> ProfileBook:
        return ProfileBook(
            "CP1",
            {1: spec(1), 2: spec(2)},
            ledger=self.ledger,
            memory=self.memory,
            clock=self.clock,
            changed=self.note,
        )

    def note(self) -> None:
        self.changes += 1

    async def begins(self, evse: int, ref: str) -> None:
        await self.ledger.began(evse, ref, self.clock.now())
        await self.book.began(evse, ref)

    def ceiling_a(self, evse: int = 1) -> float | None:
        return self.book.ceiling_a(evse, self.clock.now())

    @property
    def numbers(self) -> list[int]:
        return [profile.profile_id for profile in self.book.profiles]


async def test_kept_over_a_restart_and_every_change_is_told() -> None:
    yard = Yard()
    await yard.book.put(1, wire(1, 10), None)
    yard.book = yard.opened()
    await yard.book.load()
    assert (yard.ceiling_a(1), yard.ceiling_a(2)) == (10, None)
    await yard.book.drop(yard.book.find(lambda _: True))
    assert (yard.ceiling_a(), yard.changes) == (None, 2)


async def test_a_profile_replaces_its_number_and_its_place() -> None:
    yard = Yard()
    await yard.book.put(1, wire(1, 10), None)
    await yard.book.put(2, wire(1, 11), None)
    assert (yard.numbers, yard.ceiling_a(1), yard.ceiling_a(2)) == ([1], None, 11)
    await yard.book.put(2, wire(2, 12), None)
    assert (yard.numbers, yard.ceiling_a(2)) == ([2], 12)
    await yard.book.put(2, wire(3, 13, stackLevel=1), None)
    await yard.book.put(1, wire(4, 14), None)
    assert yard.numbers == [2, 3, 4]


async def test_no_more_than_thirty() -> None:
    yard = Yard()
    for level in range(30):
        await yard.book.put(1, wire(level, 10, stackLevel=level), None)
    with pytest.raises(ProfileError, match="30"):
        await yard.book.put(1, wire(30, 10, stackLevel=30), None)
    await yard.book.put(1, wire(29, 9, stackLevel=29), None)
    assert yard.ceiling_a() == 9


@pytest.mark.parametrize("transaction", [None, "other"])
async def test_a_transactions_profile_needs_its_transaction(transaction: str | None) -> None:
    yard = Yard()
    if transaction is not None:
        await yard.begins(1, "mine")
    with pytest.raises(ProfileError, match="no such transaction"):
        await yard.book.put(1, wire(1, 10, "TxProfile"), transaction)


async def test_a_starts_profile_waits_for_its_transaction_and_ends_with_it() -> None:
    yard = Yard()
    yard.book.expect(1, wire(1, 10, "TxProfile"))
    assert yard.ceiling_a() is None
    await yard.begins(2, "elsewhere")
    await yard.begins(1, "tx")
    assert (yard.ceiling_a(1), yard.ceiling_a(2)) == (10, None)
    await yard.book.ended("tx")
    assert yard.numbers == []


async def test_a_start_that_was_refused_or_comes_too_late_has_no_profile() -> None:
    yard = Yard()
    yard.book.expect(1, wire(1, 10, "TxProfile"))
    yard.book.unexpect(1)
    await yard.begins(1, "tx-1")
    yard.book.expect(2, wire(2, 10, "TxProfile"))
    await yard.clock.advance(301)
    await yard.begins(2, "tx-2")
    assert yard.numbers == []


async def test_what_cannot_come_with_a_start_is_refused() -> None:
    yard = Yard()
    with pytest.raises(ProfileError, match="TxProfile"):
        yard.book.expect(1, wire(1, 10))
    with pytest.raises(ProfileError, match="no EVSE 3"):
        yard.book.expect(3, wire(1, 10, "TxProfile"))
