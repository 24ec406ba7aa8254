"""Addresses on the utility's server: links are followed there and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from contracts.errors import ProtocolError

_HTTPS_PORT = 443
_MAX_CHARS = 4096
_PLAIN = re.compile(r"/(?:[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@/-]*)?")
_ODD = re.compile(r"//|/\.")
"""A path of the former form, without the latter, has nothing that would have to be worked out."""
_VISIBLE = re.compile(r"[!-~]+")


class Server:
    """The one scheme, host and port that hrefs may lead to, and the entry below it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._origin = _origin(parts)
        self.base = f"{parts.scheme}://{parts.netloc}"
        """Scheme, host and port, without a slash at the end."""
        self.entry = parts.path or "/"
        """Path of DeviceCapability."""

    def resolve(self, href: str, base: str | None = None) -> str:
        """The path (and query) an href stands for, so that equal ones are equal texts.

        An absolute URL, an absolute path, or a path relative to `base`, the document it stood in
        (the entry when left out); `:` may occur in any of them (RFC 3986, 5.2).

        Raises:
            ProtocolError: it is empty, too long, not of visible ASCII characters, or leads to
                another scheme, host or port.
        """
        if len(href) <= _MAX_CHARS and _PLAIN.fullmatch(href) and not _ODD.search(href):
            return href
        if len(href) > _MAX_CHARS or not _VISIBLE.fullmatch(href.strip()):
            raise ProtocolError(f"not a usable href: {href[:80]!r}")
        try:
            parts = urlsplit(urljoin(self.base + (base or self.entry), href.strip()))
            foreign = _origin(parts) != self._origin or "@" in parts.netloc
        except ValueError as error:
            raise ProtocolError(f"not a usable href: {href[:80]!r}: {error}") from error
        if foreign:
            raise ProtocolError(f"href to another server refused: {href[:200]!r}")
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def absolute(self, path: str) -> str:
        """The URL of a resolved href."""
        return self.base + path


def with_page(path: str, start: int, limit: int) -> str:
    """A list's address with the page wanted: `s` and `l` are always sent, `l` defaults to 1."""
    return f"{path}{'&' if '?' in path else '?'}s={start}&l={limit}"


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (_HTTPS_PORT if parts.scheme == "https" else 80)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port
