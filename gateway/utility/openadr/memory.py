"""What the VEN remembers over a restart, typed, on top of `UtilityMemory`'s JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.ports import UtilityMemory

_log = structlog.get_logger(__name__)
_ONLY = "current"


class Stage(StrEnum):
    """What is next for a registration."""

    OFFER_REPORTS = "offer_reports"
    """The VTN has not heard yet what can be reported."""
    COMPLETE = "complete"
    REGISTER_AGAIN = "register_again"
    """The VTN asked for it."""
    CANCELLED = "cancelled"
    """By the VTN: forgotten as soon as it has our answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the VTN gave us."""

    ven_id: str
    registration_id: str
    vtn_id: str
    poll_s: float
    push_url: str | None = None
    """Where we asked for pushes to; None: we poll."""
    stage: Stage = Stage.COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A message on its way to the VTN."""

    service: str
    xml: str
    """Not signed: that is done when it is sent, as of then."""
    answer_expected: bool = True
    """False for an oadrResponse, to which a VTN may answer nothing."""


Document = TypeVar("Document")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


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
                found[key] = _adapter(kind).validate_python(documents[key])
            except ValidationError as error:
                _log.error("ven_memory_unreadable", kind=kind.__name__, key=key, error=str(error))
        return found

    async def put(self, key: str, document: object) -> None:
        """Write or replace one document."""
        body = _adapter(type(document)).dump_python(document, mode="json")
        await self._memory.save(self._utility_id, type(document).__name__, key, body)

    async def drop(self, kind: type[Any], keys: Sequence[str] | Mapping[str, object]) -> None:
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


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
