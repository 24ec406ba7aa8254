"""Static files with their hash in the address, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

_HERE = Path(__file__).parent
SHARED = _HERE / "static"
"""Style, fonts, icons and libraries of every program's pages."""
TEMPLATES = _HERE / "templates"
"""Icons, marks and scripts of every program's pages."""


class KeptFiles(StaticFiles):
    """A program's own static files, and behind them the shared ones."""

    def __init__(self, own: Path) -> None:
        super().__init__(directory=own)
        self.all_directories = [own, SHARED]

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; without its hash in the address a browser must ask again."""
        response = await super().get_response(path, scope)
        hashed = scope.get("query_string", b"").startswith(b"v=")
        kept = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


class StaticUrls:
    """Addresses of the files that `KeptFiles(own)` serves under `/static`."""

    def __init__(self, own: Path) -> None:
        self._own = own

    def __call__(self, path: str) -> str:
        """Address of a file with its content's hash."""
        return f"/static/{path}?v={_digest(self._own, path)}"


@cache
def _digest(own: Path, path: str) -> str:
    file = own / path
    return hashlib.sha256((file if file.is_file() else SHARED / path).read_bytes()).hexdigest()[:12]
