"""One gateway per data folder: on SQLite the leader is whoever holds the lock file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import PermanentError

_NAME = "gateway.lock"


@contextmanager
def leadership(data: Path) -> Iterator[None]:
    """Hold the folder's lock for the time of the block; the system frees it if we are killed.

    Raises:
        PermanentError: another gateway runs on this folder.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / _NAME).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise PermanentError(
                f"{data}: another gateway (process {holder}) runs on this data folder; "
                "stop it, or give this one a folder of its own"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
