"""JSON codec of the site link: strict outbound, ranges checked inbound, unknown fields ignored."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.errors import ProtocolError
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Instruction,
    InstructionAck,
    Message,
    NumberedRow,
    Row,
)

MAX_MESSAGE_BYTES = 1 << 20
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)
_ENCODERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Instruction, InstructionAck, Batch, BatchAck)
}
"""Of what goes by the thousand: the union of all tries its kinds in turn, which takes longer."""
_ROWS: TypeAdapter[Row] = TypeAdapter(Row)


def encode(message: Message) -> bytes:
    """The message as compact JSON."""
    return _ENCODERS.get(type(message), _MESSAGES).dump_json(message)


def decode(data: bytes) -> Message:
    """The message in `data`.

    Raises:
        ProtocolError: too large, not JSON, an unknown kind, or a field missing or out of range.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"message of {len(data)} bytes: the limit is {MAX_MESSAGE_BYTES}")
    try:
        return _MESSAGES.validate_json(data)
    except ValidationError as error:
        raise ProtocolError(first_fault(error)) from error


def encode_row(row: Row) -> bytes:
    """One outbox row as JSON, for the site's outbox."""
    return _ROWS.dump_json(row)


def decode_row(seq: int, data: bytes) -> NumberedRow:
    """An outbox row read back from the site's own store.

    Raises:
        ProtocolError: the stored bytes are not a row.
    """
    try:
        return NumberedRow(seq=seq, row=_ROWS.validate_json(data))
    except ValidationError as error:
        raise ProtocolError(first_fault(error)) from error


def first_fault(error: ValidationError) -> str:
    """Where the first fault is, and what; never what was sent, which may be secret or huge."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = "/".join(str(part) for part in fault["loc"]) or "message"
    return f"{where}: {fault['msg']}"
