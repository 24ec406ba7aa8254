"""OCPP-J frames (OCPP-J 1.6 §4, OCPP 2.0.1 part 4 §4): text to values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, NoReturn

import msgspec

from contracts.errors import ProtocolError, TransientError

Json = Mapping[str, object]
"""A payload."""

_CALL: Literal[2] = 2
_RESULT, _ERROR = 3, 4
_LONGEST_ID = 255
"""The standard says 36; some chargers send longer ones, and echoing them does no harm."""
_NO_ID = "-1"
"""Message id of an answer to a frame whose own id cannot be read (2.0.1 part 4 §4.2.3)."""


class Fault(StrEnum):
    """Why a frame or a CALL is refused, in the words of 2.0.1 part 4 §4.3."""

    NOT_IMPLEMENTED = "NotImplemented"
    INTERNAL = "InternalError"
    FORMAT = "FormatViolation"
    MISSING = "OccurrenceConstraintViolation"
    TYPE = "TypeConstraintViolation"
    VALUE = "PropertyConstraintViolation"
    FRAME = "RpcFrameworkError"
    MESSAGE_TYPE = "MessageTypeNotSupported"


class CallFaultError(ProtocolError):
    """A CALL of the charger cannot be served; it is told why."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class BadFrameError(CallFaultError):
    """Text that is no frame. `message_id` None: an answer would be answered in turn, so none."""

    def __init__(self, message_id: str | None, fault: Fault, text: str) -> None:
        super().__init__(fault, text)
        self.message_id = message_id


class CallRefusedError(ProtocolError):
    """The charger answered a CALL of ours with CALLERROR."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}"[:200])
        self.code = code


class NoAnswerError(TransientError):
    """A CALL of ours stayed unanswered; whether it was obeyed is not known."""


class Call(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The charger asks or tells; field by field as on the wire."""

    kind: Literal[2]
    message_id: Annotated[str, msgspec.Meta(max_length=_LONGEST_ID)]
    action: str
    payload: dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """The charger answers a CALL of ours: a payload, or why not."""

    message_id: str
    outcome: Json | CallRefusedError


def parse(frame: str | bytes) -> Call | Answer:
    """Read one WebSocket message.

    Raises:
        BadFrameError: it is no CALL, CALLRESULT or CALLERROR.
    """
    if isinstance(frame, bytes):
        raise BadFrameError(_NO_ID, Fault.FRAME, "binary message")
    if frame.startswith("[2,"):  # nearly every frame is a sound CALL
        try:
            return _decode_call(frame)
        except (ValueError, RecursionError):
            pass  # said below what is wrong with it
    try:
        values = _decode(frame)
    except (ValueError, RecursionError):
        values = _decoded_leniently(frame)
    match values:
        case [int(kind), str(message_id), *rest] if len(message_id) <= _LONGEST_ID:
            return _frame(kind, message_id, rest)
        case [int(kind), *_] if kind in (_RESULT, _ERROR):
            raise BadFrameError(None, Fault.FRAME, "answer without an id")
        case _:
            raise BadFrameError(_NO_ID, Fault.FRAME, "no message id")


def call(message_id: str, action: str, payload: Json) -> bytes:
    """A CALL."""
    return _on_the_wire([_CALL, message_id, action, payload])


def result(message_id: str, payload: Json) -> bytes:
    """A CALLRESULT."""
    return _on_the_wire([_RESULT, message_id, payload])


def error(message_id: str, code: str, text: str) -> bytes:
    """A CALLERROR."""
    return _on_the_wire([_ERROR, message_id, code, text[:255], {}])


def text_of(value: object) -> str:
    """Anything as it goes over the wire."""
    return _on_the_wire(value).decode()


def _on_the_wire(value: object) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError:  # half a surrogate pair of theirs, echoed
        return json.dumps(value, separators=(",", ":")).encode()


def _frame(kind: int, message_id: str, rest: list[object]) -> Call | Answer:
    match kind, rest:
        case 2, [str(action), dict(payload)]:
            return Call(_CALL, message_id, action, payload)
        case 2, _:
            raise BadFrameError(message_id, Fault.FORMAT, "a CALL is [2, id, action, payload]")
        case 3, [dict(payload)]:
            return Answer(message_id, payload)
        case 3, _:
            return Answer(message_id, CallRefusedError(Fault.FORMAT, "malformed CALLRESULT"))
        case 4, [str(code), str(text), *_]:
            return Answer(message_id, CallRefusedError(code[:50], text))
        case 4, _:
            return Answer(message_id, CallRefusedError("GenericError", "malformed CALLERROR"))
        case _:
            raise BadFrameError(message_id, Fault.MESSAGE_TYPE, "unknown message type")


def _decoded_leniently(frame: str) -> object:
    """Half a surrogate pair or a number beyond all floats is no reason to lose a message."""
    try:
        return json.loads(frame, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadFrameError(_NO_ID, Fault.FRAME, "not JSON") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = msgspec.json.Decoder().decode
_decode_call = msgspec.json.Decoder(Call).decode
_encode = msgspec.json.Encoder().encode
