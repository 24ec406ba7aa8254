"""The record of settings from above: a file of its own, replaced as a whole, on the disk at once.

It lies in the data folder and not in the database, because it must be read before anything else is
opened, and because a damaged database must not take it along.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from contracts.errors import TransientError
from contracts.private_files import write_private
from site_agent.domain.remote import Record

log = structlog.get_logger(__name__)

FILE = "remote-settings.json"
_RECORDS: TypeAdapter[Record] = TypeAdapter(Record)


class RecordFile:
    """`site_agent.flows.orders.configuration_needs.RecordStore`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def load(self) -> Record:
        """What was last saved; an empty record where nothing was, or nothing can be read."""
        try:
            return _RECORDS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Record()
        except (OSError, ValidationError) as error:
            log.error("settings from the gateway cannot be read", file=str(self._path))  # noqa: TRY400 (the file is at fault)
            return Record(reason=f"{FILE} cannot be read: {type(error).__name__}")

    def save(self, record: Record) -> None:
        """Durable when it returns; interrupted, the one before is still there.

        Raises:
            TransientError: the disk would not take it.
        """
        try:
            write_private(self._path, _RECORDS.dump_json(record), durable=True)
        except OSError as error:
            raise TransientError(f"{self._path}: {error.strerror}") from error
