"""Whole lists, page by page, from servers that count wrongly, cut pages short or never end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from contracts.errors import ProtocolError, TransientError
from contracts.sep2.resources import IdentifiedObject, Resource, ResourceList
from gateway.utility.sep2.hrefs import with_page

PAGE_ITEMS = 50
_MAX_PAGES = 1000
_TRIES = 3
"""So often is a list begun again when it changes while it is read."""

Wanted = TypeVar("Wanted", bound=Resource)
WantedList = TypeVar("WantedList", bound=ResourceList)


class Reader(Protocol):
    """The part of the transport that reading takes."""

    async def fetch(self, href: str, kind: type[Resource]) -> bytes:
        """The body of a resource."""
        ...

    def decode(self, body: bytes, kind: type[Wanted]) -> Wanted:
        """The resource in a body."""
        ...


@dataclass(frozen=True, slots=True)
class Page(Generic[Wanted]):
    """One answer; the digest tells whether it is the same again."""

    digest: bytes
    content: Wanted


@dataclass(frozen=True, slots=True)
class Document(Generic[Wanted]):
    """A resource, or a whole list. Unchanged at the next reading, it is the very same object."""

    content: Wanted
    pages: tuple[Page[Wanted], ...]


class _MovedError(Exception):
    """Items moved while the list was read: some may have been missed."""


async def read_one(
    reader: Reader, path: str, kind: type[Wanted], known: Document[Wanted] | None = None
) -> Document[Wanted]:
    """A resource that is no list; raises as `read_list` does."""
    page = await _page(reader, path, kind, known)
    return (
        known if known is not None and page is known.pages[0] else Document(page.content, (page,))
    )


async def read_list(
    reader: Reader,
    path: str,
    kind: type[WantedList],
    max_items: int,
    known: Document[WantedList] | None = None,
) -> Document[WantedList]:
    """Every item of a list (IEEE 2030.5-2018, 4.6); pages equal to `known` are not parsed again.

    `all` is believed as long as pages bear it out: an empty page ends a list that promised more,
    a full one is followed by another look. Items seen twice count once.

    Raises:
        TransientError: unreachable, or the list kept changing while it was read.
        PermanentError: the server refuses it.
        ProtocolError: not such a list, endless, or the same page again and again.
    """
    for _ in range(_TRIES):
        try:
            pages = await _pages(reader, path, kind, max_items, known)
        except _MovedError:
            continue
        if known is not None and pages == known.pages:
            return known
        return Document(_whole(pages), pages)
    raise TransientError(f"{path}: the list keeps changing while it is read")


async def _page(
    reader: Reader, href: str, kind: type[Wanted], known: Document[Wanted] | None
) -> Page[Wanted]:
    body = await reader.fetch(href, kind)
    digest = hashlib.sha256(body).digest()
    same = (page for page in known.pages if page.digest == digest) if known is not None else ()
    return next(iter(same), None) or Page(digest, reader.decode(body, kind))


async def _pages(
    reader: Reader,
    path: str,
    kind: type[WantedList],
    max_items: int,
    known: Document[WantedList] | None,
) -> tuple[Page[WantedList], ...]:
    pages: list[Page[WantedList]] = []
    seen: set[str] = set()
    count, total = 0, None
    for _ in range(_MAX_PAGES):
        page = await _page(reader, with_page(path, count, PAGE_ITEMS), kind, known)
        if total is not None and page.content.all is not None and page.content.all < total:
            raise _MovedError
        total = total if page.content.all is None else page.content.all
        keys = _keys(page.content)
        if pages and seen.issuperset(keys):
            return _ended(path, tuple(pages), total if keys else None, count)
        pages.append(page)
        seen.update(keys)
        count += len(keys)
        if count > max_items:
            raise ProtocolError(f"{path}: more than {max_items} items")
        if total is not None and count >= total and len(keys) != PAGE_ITEMS:
            return tuple(pages)
    raise ProtocolError(f"{path}: more than {_MAX_PAGES} pages")


def _ended(
    path: str, pages: tuple[Page[WantedList], ...], promised: int | None, found: int
) -> tuple[Page[WantedList], ...]:
    """Nothing new came: fine when the page was empty, or when the first held everything."""
    if promised is not None and found < promised:
        if promised != pages[0].content.all:
            raise _MovedError
        raise ProtocolError(f"{path}: the same page again, {found} of {promised} items seen")
    return pages


def _whole(pages: tuple[Page[WantedList], ...]) -> WantedList:
    if len(pages) == 1:
        return pages[0].content
    items = {_key(item): item for page in pages for item in page.content.items}
    rejected = dict.fromkeys(item for page in pages for item in page.content.rejected)
    return replace(
        pages[0].content,
        results=len(items),
        items=tuple(items.values()),
        rejected=tuple(rejected),
    )


def _keys(page: ResourceList) -> list[str]:
    return [_key(item) for item in page.items] + [repr(item) for item in page.rejected]


def _key(item: Resource) -> str:
    if item.href is not None:
        return item.href
    mrid = item.canonical_mrid if isinstance(item, IdentifiedObject) else ""
    return mrid or repr(item)
