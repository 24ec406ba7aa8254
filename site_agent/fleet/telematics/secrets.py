"""Credentials from a file or the environment: read when needed, so that they can be replaced."""

from __future__ import annotations

import os
from pathlib import Path

from contracts.errors import PermanentError

_LARGEST = 8192


def secret(file: Path | None, variable: str | None) -> str:
    """The secret as it is now.

    Raises:
        PermanentError: there is none; the text names the file or variable, never the content.
    """
    if file is not None:
        try:
            with file.open("rb") as opened:
                found = opened.read(_LARGEST).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"{file}: cannot be read: {type(error).__name__}") from error
        where = str(file)
    else:
        found, where = os.environ.get(variable or "", "").strip(), f"${variable}"
    if not found or not found.isascii() or not found.isprintable():
        raise PermanentError(f"{where}: holds no secret")
    return found
