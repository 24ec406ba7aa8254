"""What the client remembers over a restart, typed, on top of `UtilityMemory`'s JSON documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter

from gateway.ports import UtilityMemory

_log = structlog.get_logger(__name__)
Document = TypeVar("Document")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def to_json(document: object) -> object:
    """A dataclass as a JSON document."""
    return _adapter(type(document)).dump_python(document, mode="json")


def from_json(kind: type[Document], body: object) -> Document:
    """The dataclass of a JSON document.

    Raises:
        ValueError: it is not one of this kind.
    """
    document: Document = _adapter(kind).validate_python(body)
    return document


class Sep2Memory:
    """Typed documents of one utility, one dataclass per kind; a write is durable on return."""

    def __init__(self, memory: UtilityMemory, utility_id: str) -> None:
        self._memory = memory
        self._utility_id = utility_id

    async def all(self, kind: type[Document]) -> dict[str, Document]:
        """Every document of a kind by key, in key order; unreadable ones are logged and left."""
        documents = await self._memory.load(self._utility_id, _name(kind))
        found: dict[str, Document] = {}
        for key in sorted(documents):
            try:
                found[key] = from_json(kind, documents[key])
            except ValueError as error:
                _log.error("sep2_memory_unreadable", kind=kind.__name__, key=key, error=str(error))
        return found

    async def put(self, key: str, document: object) -> None:
        """Write or replace one document."""
        await self._memory.save(self._utility_id, _name(type(document)), key, to_json(document))

    async def drop(self, kind: type[Any], keys: Iterable[str]) -> None:
        """Forget these documents."""
        for key in list(keys):
            await self._memory.forget(self._utility_id, _name(kind), key)


def _name(kind: type[Any]) -> str:
    return f"sep2.{kind.__name__}"


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
