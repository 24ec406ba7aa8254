from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.sep2.resources import EndDevice, EndDeviceList, RejectedItem, Resource
from gateway.utility.sep2.paging import PAGE_ITEMS, Document, read_list, read_one
from support.sep2_tree_server import lfdi

Wanted = TypeVar("Wanted", bound=Resource)
Pages = Callable[[int, int], EndDeviceList]


class Reader:
    """A server of one list, given as a function of start and limit."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.asked: list[tuple[int, int]] = []
        self.parsed = 0
        self._made: dict[bytes, EndDeviceList] = {}

    async def fetch(self, href: str, kind: type[Resource]) -> bytes:
        found = re.fullmatch(r"/edev\?s=(\d+)&l=(\d+)", href)
        assert found is not None
        start, limit = int(found[1]), int(found[2])
        self.asked.append((start, limit))
        page = self.pages(start, limit)
        body = repr(page).encode()
        self._made[body] = page
        return body

    def decode(self, body: bytes, kind: type[Wanted]) -> Wanted:
        self.parsed += 1
        page = self._made[body]
        assert isinstance(page, kind)
        return page

    async def read(
        self, known: Document[EndDeviceList] | None = None, max_items: int = 10_000
    ) -> Document[EndDeviceList]:
        return await read_list(self, "/edev", EndDeviceList, max_items, known)


def devices(count: int, first: int = 0) -> list[EndDevice]:
    return [EndDevice(href=f"/edev/{n}", lfdi=lfdi(n), sfdi=n) for n in range(first, first + count)]


def served(items: list[EndDevice], *, cap: int = 255, total: int | None = -1) -> Pages:
    """An honest server, unless `total` says otherwise."""

    def page(start: int, limit: int) -> EndDeviceList:
        part = tuple(items[start : start + min(limit, cap)])
        return EndDeviceList(
            all=len(items) if total == -1 else total, results=len(part), items=part
        )

    return page


@pytest.mark.row("sep2:8")
@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (49, 1), (50, 2), (51, 2), (99, 2), (1000, 21)]
)
async def test_a_list_is_read_whole_in_pages_of_fifty(count: int, requests: int) -> None:
    reader = Reader(served(devices(count)))
    found = (await reader.read()).content
    assert list(found.items) == devices(count)
    assert len(reader.asked) == requests
    assert all(limit == PAGE_ITEMS for _, limit in reader.asked), "l defaults to 1: always sent"


@given(count=st.integers(0, 130), cap=st.integers(1, 70), lie=st.sampled_from([-1, 0, 1000, None]))
async def test_any_page_size_and_any_count_gives_the_whole_list(
    count: int, cap: int, lie: int | None
) -> None:
    """But for a server that cuts pages short and claims there is no more: nobody could know."""
    reader = Reader(served(devices(count), cap=cap, total=lie))
    found = (await reader.read()).content
    if lie == 0 and cap < PAGE_ITEMS:
        assert list(found.items) == devices(min(cap, count))
    else:
        assert list(found.items) == devices(count)


async def test_a_server_that_ignores_paging_is_read_once() -> None:
    everything = EndDeviceList(all=120, results=120, items=tuple(devices(120)))
    reader = Reader(lambda _start, _limit: everything)
    assert len((await reader.read()).content.items) == 120
    assert len(reader.asked) == 1


async def test_a_server_that_ignores_the_start_is_found_out() -> None:
    page = EndDeviceList(all=120, results=50, items=tuple(devices(50)))
    reader = Reader(lambda _start, _limit: page)
    with pytest.raises(ProtocolError, match="the same page again, 50 of 120"):
        await reader.read()
    assert len(reader.asked) == 2


async def test_the_single_item_of_a_lazy_server_is_not_the_whole_list() -> None:
    page = EndDeviceList(all=2, results=1, items=tuple(devices(1)))
    reader = Reader(lambda _start, _limit: page)
    with pytest.raises(ProtocolError, match="1 of 2"):
        await reader.read()


async def test_a_server_that_lists_something_twice_is_borne() -> None:
    items = [*devices(70), devices(1)[0]]
    found = (await Reader(served(items)).read()).content
    assert list(found.items) == devices(70)


async def test_an_endless_list_is_given_up() -> None:
    def page(start: int, limit: int) -> EndDeviceList:
        return EndDeviceList(all=10**9, results=limit, items=tuple(devices(limit, start)))

    reader = Reader(page)
    with pytest.raises(ProtocolError, match="more than 200 items"):
        await reader.read(max_items=200)
    assert len(reader.asked) == 5


async def test_endless_small_pages_are_given_up() -> None:
    def page(start: int, _limit: int) -> EndDeviceList:
        return EndDeviceList(all=10**9, results=1, items=tuple(devices(1, start)))

    reader = Reader(page)
    with pytest.raises(ProtocolError, match="pages"):
        await reader.read(max_items=10**6)
    assert len(reader.asked) == 1000


async def test_items_that_move_down_while_reading_count_once() -> None:
    items = devices(80)
    honest = served(items)

    def page(start: int, limit: int) -> EndDeviceList:
        if start and len(items) == 80:
            items.insert(0, devices(1, 500)[0])
        return honest(start, limit)

    reader = Reader(page)
    first = await reader.read()
    assert list(first.content.items) == devices(80)
    second = await reader.read(first)
    assert list(second.content.items) == items, "what came meanwhile is seen the next time"


async def test_a_list_that_shrinks_while_it_is_read_is_read_again() -> None:
    items = devices(120)

    def page(start: int, limit: int) -> EndDeviceList:
        if start == 50 and len(items) == 120:
            del items[0]
        return served(items)(start, limit)

    found = (await Reader(page).read()).content
    assert list(found.items) == devices(119, 1), "none was skipped"


async def test_a_list_that_shrinks_for_ever_is_tried_later() -> None:
    items = devices(500)

    def page(start: int, limit: int) -> EndDeviceList:
        del items[0]
        return served(items)(start, limit)

    with pytest.raises(TransientError, match="keeps changing"):
        await Reader(page).read()


async def test_items_that_cannot_be_read_still_count() -> None:
    bad = RejectedItem(href="/edev/9", mrid=None, reply_to=None, reason="no sFDI")

    def page(start: int, limit: int) -> EndDeviceList:
        honest = served(devices(60), total=61)(start, limit)
        return replace(honest, rejected=(bad,)) if start else honest

    reader = Reader(page)
    found = (await reader.read()).content
    assert (len(found.items), found.rejected) == (60, (bad,))
    assert len(reader.asked) == 2


async def test_an_unchanged_list_is_the_very_same_and_not_parsed_again() -> None:
    items = devices(120)
    reader = Reader(served(items))
    first = await reader.read()
    assert reader.parsed == 3
    assert await reader.read(first) is first
    assert reader.parsed == 3
    items[70] = replace(items[70], enabled=False)
    second = await reader.read(first)
    assert second is not first
    assert reader.parsed == 4, "only the page that changed"
    assert second.content.items[0] is first.content.items[0]
    assert second.content.items[70].enabled is False


async def test_an_item_removed_at_the_end_is_noticed() -> None:
    items = devices(51)
    reader = Reader(served(items))
    first = await reader.read()
    items.pop()
    second = await reader.read(first)
    assert list(second.content.items) == devices(50)


async def test_a_resource_that_is_no_list_is_recognised_as_well() -> None:
    class One(Reader):
        async def fetch(self, href: str, kind: type[Resource]) -> bytes:
            return await super().fetch("/edev?s=0&l=1", kind)

    items = devices(1)
    reader = One(served(items))
    first = await read_one(reader, "/edev", EndDeviceList)
    assert await read_one(reader, "/edev", EndDeviceList, first) is first
    items[0] = replace(items[0], sfdi=7)
    assert await read_one(reader, "/edev", EndDeviceList, first) is not first


async def test_what_the_server_refuses_is_passed_on() -> None:
    def page(start: int, _limit: int) -> EndDeviceList:
        if start:
            raise PermanentError("HTTP 400")
        return EndDeviceList(all=100, items=tuple(devices(50)))

    with pytest.raises(PermanentError):
        await Reader(page).read()
