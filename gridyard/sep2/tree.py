"""Walk a server by its links, as any IEEE 2030.5 client may, and show what it offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, fields

from contracts.errors import GridyardError, LinkDownError
from contracts.sep2 import resources
from contracts.sep2.resources import (
    IdentifiedObject,
    Link,
    ListLink,
    Resource,
    ResourceList,
)
from gateway.utility.sep2.paging import read_list
from gateway.utility.sep2.transport import Sep2Transport

_ITEMS = 1000
"""Of one list; the walk is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One resource met on the walk, or why it could not be read."""

    depth: int
    name: str
    href: str
    about: str
    failed: bool = False

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("depth", "name", "href", "about", "failed")}


@dataclass(frozen=True, slots=True)
class _Place:
    depth: int
    name: str
    href: str


async def walk(transport: Sep2Transport, *, max_nodes: int = 2000) -> AsyncIterator[Node]:
    """Every resource that can be reached from DeviceCapability, each once, depth first.

    What cannot be read is a node that says why; the rest goes on.

    Raises:
        LinkDownError: the server cannot be reached.
    """
    waiting = [_Place(0, "DeviceCapability", transport.server.entry)]
    seen: set[str] = set()
    while waiting and len(seen) < max_nodes:
        place = waiting.pop()
        if place.href in seen:
            continue
        seen.add(place.href)
        try:
            found = await _read(transport, place)
        except LinkDownError:
            raise
        except GridyardError as error:
            yield Node(
                depth=place.depth, name=place.name, href=place.href, about=str(error), failed=True
            )
            continue
        yield Node(depth=place.depth, name=place.name, href=place.href, about=_about(found))
        if isinstance(found, ResourceList):
            for item in found.items:
                name, depth = type(item).__name__, place.depth + 1
                yield Node(depth=depth, name=name, href=item.href or "", about=_about(item))
                if item.href is not None:
                    seen.add(_resolved(transport, item.href, place.href))
        waiting += reversed(list(_next(transport, place, found)))


async def _read(transport: Sep2Transport, place: _Place) -> Resource:
    kind: type[Resource] = getattr(resources, place.name)
    if issubclass(kind, ResourceList):
        return (await read_list(transport, place.href, kind, _ITEMS)).content
    return await transport.get(place.href, kind)


def _next(transport: Sep2Transport, place: _Place, found: Resource) -> Iterator[_Place]:
    """Where the links of a resource, and of the items of a list, lead."""
    for resource in found.items if isinstance(found, ResourceList) else (found,):
        deeper = 2 if isinstance(found, ResourceList) else 1
        for name, link in _links(resource):
            if hasattr(resources, name):
                href = _resolved(transport, link.href, place.href)
                yield _Place(place.depth + deeper, name, href)


def _links(resource: Resource) -> Iterator[tuple[str, Link]]:
    """(resource it leads to, link), by the standard's names: `DERProgramListLink` and so on."""
    for field in fields(resource):
        value = getattr(resource, field.name)
        if isinstance(value, Link):
            yield _target(field.name, is_list=isinstance(value, ListLink)), value


def _target(field: str, *, is_list: bool) -> str:
    """The class a link's field names: `der_program_list_link` is a `DERProgramList`."""
    wanted = field.removesuffix("_link").replace("_", "")
    names = (name for name in dir(resources) if name.lower() == wanted)
    return next(names, "unknown list" if is_list else "unknown")


def _resolved(transport: Sep2Transport, href: str, base: str) -> str:
    try:
        return transport.server.resolve(href, base)
    except GridyardError:
        return href  # reading it says what is wrong


def _about(resource: Resource) -> str:
    parts: list[str] = []
    if isinstance(resource, ResourceList):
        parts.append(f"{len(resource.items)} items")
        if resource.poll_rate is not None:
            parts.append(f"poll every {resource.poll_rate.total_seconds():g} s")
    if isinstance(resource, IdentifiedObject) and resource.mrid:
        parts.append(f"mRID {resource.mrid}")
    for name in ("description", "lfdi", "sfdi", "primacy", "current_time", "pin"):
        value = getattr(resource, name, None)
        if value is not None:
            parts.append(f"{name} {value}")
    return ", ".join(parts)
