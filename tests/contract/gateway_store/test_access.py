"""Tokens, credentials and revocations, on a file and in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.ports import AccessBook, StoredCredential, StoredToken
from gateway.store.access import SqlAccessBook
from gateway.store.database import Database
from support.gateway_store import T0

HOUR = timedelta(hours=1)
TOKEN = StoredToken(site_id="depot-1", expires_at=T0 + HOUR)
ISSUED = StoredCredential(
    serial="a1", site_id="depot-1", user_key="U1", issued_at=T0, until=T0 + 24 * HOUR, cause="new"
)


@pytest.fixture
async def book(database: Database) -> AccessBook:
    book = SqlAccessBook(database)
    await book.put_token("hash", TOKEN, T0)
    return book


async def test_a_token_is_what_was_put(book: AccessBook) -> None:
    assert await book.token("hash") == TOKEN
    assert await book.token("other") is None


async def test_the_first_keys_to_use_a_token_are_its_only_ones(book: AccessBook) -> None:
    assert await book.redeem("hash", "mine", ISSUED) is None
    assert await book.redeem("hash", "yours", replace(ISSUED, serial="b")) == replace(
        TOKEN, used_by="mine"
    )
    assert await book.redeem("hash", "mine", replace(ISSUED, serial="a2")) is None
    assert {one.serial for one in await book.credentials("depot-1")} == {"a1", "a2"}


@pytest.mark.parametrize(("named", "late"), [("hash", HOUR), ("unknown", timedelta(0))])
async def test_a_token_that_is_over_or_unknown_issues_nothing(
    book: AccessBook, named: str, late: timedelta
) -> None:
    assert await book.redeem(named, "mine", replace(ISSUED, issued_at=T0 + late)) is not None
    assert await book.credentials("depot-1") == []


async def test_revoked_keys_are_known_until_their_end(book: AccessBook) -> None:
    await book.add(ISSUED)
    await book.add(replace(ISSUED, serial="b1", site_id="depot-2", user_key="U2"))
    assert await book.revoked(T0) == {}
    assert await book.revoke("depot-1", T0 + HOUR, "lost") == 1
    assert await book.revoke("depot-1", T0 + 2 * HOUR, "again") == 0
    assert await book.revoked(T0 + 2 * HOUR) == {"U1": T0 + HOUR}
    assert await book.revoked(T0 + 24 * HOUR) == {}
    (kept,) = await book.credentials("depot-1")
    assert (kept.revoked_at, kept.cause) == (T0 + HOUR, "lost")


async def test_a_revoked_key_gets_nothing_more(book: AccessBook) -> None:
    await book.add(ISSUED)
    await book.revoke("depot-1", T0, "lost")
    assert not await book.add(replace(ISSUED, serial="a2"))
    await book.put_token("new", TOKEN, T0)
    assert await book.redeem("new", "mine", replace(ISSUED, serial="a3")) == TOKEN
    assert await book.add(replace(ISSUED, serial="a4", user_key="U9"))


async def test_a_revocation_voids_tokens_not_yet_used(book: AccessBook) -> None:
    await book.revoke("depot-1", T0, "lost")
    token = await book.token("hash")
    assert token is not None
    assert token.expires_at == T0


async def test_what_was_issued_elsewhere_is_known_once_it_is_seen(book: AccessBook) -> None:
    await book.seen(ISSUED)
    await book.seen(replace(ISSUED, serial="again"))
    assert await book.credentials("depot-1") == [ISSUED]
    assert await book.revoke("depot-1", T0, "lost") == 1


@pytest.mark.parametrize(("made", "out"), [(-HOUR, True), (HOUR, False)])
async def test_what_was_issued_elsewhere_before_a_revocation_is_revoked_with_it(
    book: AccessBook, made: timedelta, out: bool
) -> None:
    await book.revoke("depot-1", T0, "lost")
    await book.seen(replace(ISSUED, issued_at=T0 + made))
    await book.seen(replace(ISSUED, serial="b1", site_id="depot-2", user_key="U2"))
    assert (await book.revoked(T0) == {"U1": T0}) is out
    assert len(await book.revoked(T0)) == out
