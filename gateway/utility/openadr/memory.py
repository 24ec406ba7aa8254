"""What the VEN remembers over a restart, typed, on top of `UtilityMemory`'s JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from contracts.openadr.payloads import ReportRequest
from gateway.ports import UtilityMemory
from gateway.utility.openadr.event_set import KnownEvent

_log = structlog.get_logger(__name__)
_ONLY = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the VTN gave us."""

    ven_id: str
    registration_id: str
    vtn_id: str
    poll_s: float
    push_url: str | None = None
    """Where we asked for pushes to; None: we poll."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningReport:
    """A report the VTN asked for, and how far it has been sent."""

    request: ReportRequest
    sent_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A message on its way to the VTN."""

    service: str
    xml: str
    """Not signed: that is done when it is sent, as of then."""
    answer_expected: bool = True
    """False for an oadrResponse, to which a VTN may answer nothing."""


Document = TypeVar("Document", Registration, KnownEvent, RunningReport, Unsent)
_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Registration, KnownEvent, RunningReport, Unsent)
}


class VenMemory:
    """Typed documents of one utility; each write is durable when it returns."""

    def __init__(self, memory: UtilityMemory, utility_id: str) -> None:
        self._memory = memory
        self._utility_id = utility_id

    async def all(self, kind: type[Document]) -> dict[str, Document]:
        """Every document of a kind by key, in key order; unreadable ones are logged and left."""
        documents = await self._memory.load(self._utility_id, kind.__name__)
        found: dict[str, Document] = {}
        for key in sorted(documents):
            try:
                found[key] = _ADAPTERS[kind].validate_python(documents[key])
            except ValidationError as error:
                _log.error("ven_memory_unreadable", kind=kind.__name__, key=key, error=str(error))
        return found

    async def put(self, key: str, document: Document) -> None:
        """Write or replace one document."""
        body = _ADAPTERS[type(document)].dump_python(document, mode="json")
        await self._memory.save(self._utility_id, type(document).__name__, key, body)

    async def drop(self, kind: type[Document], keys: Sequence[str] | Mapping[str, object]) -> None:
        """Forget these documents."""
        for key in keys:
            await self._memory.forget(self._utility_id, kind.__name__, key)

    async def registration(self) -> Registration | None:
        """The registration in force, if any."""
        return (await self.all(Registration)).get(_ONLY)

    async def register(self, registration: Registration) -> None:
        """Remember a registration."""
        await self.put(_ONLY, registration)

    async def unregister(self) -> None:
        """Forget the registration."""
        await self.drop(Registration, [_ONLY])
