"""From a path to the resource there, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from contracts.errors import ProtocolError
from contracts.sep2 import codec
from contracts.sep2.codes import ReasonCode
from contracts.sep2.dialect import CSIPAUS_V1_3_STORAGE, Dialect
from contracts.sep2.resources import Resource
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.paging import SUBSCRIBABLE, Page
from vtn_sim.sep2.refusal import bad_request
from vtn_sim.sep2.schema import tamed
from vtn_sim.sep2.subscriptions import Topic

_ANY = "{"
_EVERYTHING = Dialect(csipaus=CSIPAUS_V1_3_STORAGE)
MAX_BODY_BYTES = 1 << 20
ResourceT = TypeVar("ResourceT", bound=Resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a known client."""

    client: Device
    params: Mapping[str, str]
    """Parts of the path by name."""
    page: Page = field(default_factory=Page)
    body: bytes = b""
    endless: bool = False
    """Pretend that the list never ends (a fault)."""
    remarks: list[str] = field(default_factory=list)
    """What the schema does not allow but this server takes."""

    def read(self, expected: type[ResourceT]) -> ResourceT:
        """The resource in the body. Powers beyond Int16 are taken, as servers do, and remarked.

        Raises:
            Refused: 400, it is not such a resource, or could not be given back to anybody.
        """
        try:
            posted = codec.decode(self.body, expected, MAX_BODY_BYTES)
        except ProtocolError as error:
            raise bad_request(str(error), ReasonCode.INVALID_FORMAT) from error
        try:
            codec.encode(posted, _EVERYTHING)
        except ValueError as error:
            self.remarks.append(f"against the schema: {error}")
            return self._tamed(posted)
        return posted

    def _tamed(self, posted: ResourceT) -> ResourceT:
        within = tamed(posted)
        try:
            codec.encode(within, _EVERYTHING)
        except ValueError as error:
            raise bad_request(str(error)) from error
        return within


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where the new resource is; not `new`: it was there before."""

    location: str
    new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is at the paths of one pattern; None: the method is not allowed."""

    pattern: str
    """Below the prefix: `edev/{device}/der`."""
    kind: str
    """Name of the resource."""
    get: Callable[[Call], Resource] | None = None
    put: Callable[[Call], None] | None = None
    post: Callable[[Call], Posted] | None = None
    delete: Callable[[Call], None] | None = None
    identified_by: str | None = None
    """The parameter that tells apart the resources of this kind, for subscribers."""

    def topic(self, params: Mapping[str, str]) -> Topic | None:
        """What subscribers to the resource want to be told of; None: nothing."""
        if self.kind not in SUBSCRIBABLE:
            return None
        return self.kind, params[self.identified_by] if self.identified_by else ""


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    any_child: tuple[str, _Node] | None = None
    route: Route | None = None


class Router:
    """Finds routes; a literal part of a path goes before a parameter."""

    def __init__(self, prefix: str, routes: Iterable[Route]) -> None:
        self._prefix = prefix + "/"
        self._root = _Node()
        self._fixed: dict[str, Route] = {}
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        if route.pattern.startswith("/"):
            self._fixed[route.pattern] = route
            return
        node = self._root
        for part in route.pattern.split("/"):
            if not part.startswith(_ANY):
                node = node.children.setdefault(part, _Node())
                continue
            if node.any_child is None:
                node.any_child = (part.strip("{}"), _Node())
            node = node.any_child[1]
        node.route = route

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path and the parts of the path by name; None: nothing is there."""
        if path in self._fixed:
            return self._fixed[path], {}
        if not path.startswith(self._prefix):
            return None
        node, params = self._root, dict[str, str]()
        for part in path[len(self._prefix) :].split("/"):
            child = node.children.get(part)
            if child is None and node.any_child is not None and part:
                name, child = node.any_child
                params[name] = part
            if child is None:
                return None
            node = child
        return None if node.route is None else (node.route, params)
