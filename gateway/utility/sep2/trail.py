"""Following links: what a link leads to, if it leads anywhere on this server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from contracts.errors import ProtocolError
from contracts.sep2.resources import Link, Resource
from gateway.utility.sep2.hrefs import Server
from gateway.utility.sep2.tree import Tree

_log = structlog.get_logger(__name__)
Wanted = TypeVar("Wanted", bound=Resource)


@dataclass(frozen=True, slots=True)
class Found(Generic[Wanted]):
    """What a link led to."""

    path: str
    content: Wanted


class Trail:
    """Links of one server, and the tree they lead into."""

    def __init__(self, server: Server, tree: Tree) -> None:
        self._server = server
        self.tree = tree

    def path(self, link: Link | None, base: str) -> str | None:
        """Where a link in the document at `base` leads; one to elsewhere is as good as none."""
        return None if link is None else self.resolve(link.href, base)

    def resolve(self, href: str | None, base: str) -> str | None:
        """As `path`, for a bare href."""
        if href is None:
            return None
        try:
            return self._server.resolve(href, base)
        except ProtocolError as error:
            _log.warning("sep2_link_refused", at=base, error=str(error))
            return None

    def follow(
        self,
        link: Link | None,
        kind: type[Wanted],
        base: str,
        *,
        rate: timedelta | None = None,
        subscriptions: str | None = None,
    ) -> Found[Wanted] | None:
        """What is there; None when nothing is, for us, or when it has not been read yet."""
        path = self.path(link, base)
        if path is None:
            return None
        content = self.tree.look(path, kind, base, rate=rate, subscriptions=subscriptions)
        return None if content is None else Found(path, content)
