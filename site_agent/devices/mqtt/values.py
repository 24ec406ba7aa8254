"""What a payload says: JSON or plain text of unknown goodwill to numbers, words and instants."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import pydantic_core

from contracts.errors import ProtocolError

MAX_BYTES = 64 << 10
_NUMBER = re.compile(rb"\s*[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,3})?\s*")
_MAX_WORD = 200

TimeFormat = Literal["rfc3339", "epoch_s", "epoch_ms"]


class Document:
    """One payload, parsed once however many points ask it.

    Raises:
        ProtocolError: from every method: too long, not JSON, too deep, NaN, no such member.
    """

    def __init__(self, payload: bytes) -> None:
        if len(payload) > MAX_BYTES:
            raise ProtocolError(f"{len(payload)} bytes, at most {MAX_BYTES} are read")
        self._payload = payload
        self._tree: tuple[object] | None = None

    @property
    def empty(self) -> bool:
        """No payload at all: the sender takes back what it said."""
        return not self._payload

    def at(self, pointer: str | None) -> object:
        """What an RFC 6901 pointer names; None: the whole payload as plain text."""
        if pointer is None:
            return _plain(self._payload)
        value = self._json()
        for token in _tokens(pointer):
            value = _member(value, token, pointer)
        return value

    def __contains__(self, pointer: str) -> bool:
        """Whether the document has such a member; "" names the whole."""
        if not pointer:
            return True
        try:
            self.at(pointer)
        except ProtocolError:
            return False
        return True

    def _json(self) -> object:
        if self._tree is None:
            try:
                tree = pydantic_core.from_json(self._payload, allow_inf_nan=False)
            except ValueError as error:
                raise ProtocolError(f"not JSON: {error}"[:_MAX_WORD]) from error
            self._tree = (tree,)
        return self._tree[0]


def number(value: object, *, text: bool = False) -> float | None:
    """A finite number; None for JSON null, which says that there is no value.

    With `text`, also one in writing ("-1.5e3"); true and false never are.

    Raises:
        ProtocolError: anything else.
    """
    if value is None:
        return None
    if text and isinstance(value, str) and _NUMBER.fullmatch(value.encode(errors="replace")):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{_short(value)} is no number")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        raise ProtocolError(f"{_short(value)} is no finite number")
    return real


def word(value: object) -> str:
    """A word of an enumeration: text as it is, true and false, and whole numbers written out.

    Raises:
        ProtocolError: anything else.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, str) and len(value) <= _MAX_WORD):
        return _short(value) if isinstance(value, int) else value
    raise ProtocolError(f"{_short(value)} is no word")


def instant(value: object, how: TimeFormat) -> datetime:
    """A source's own time; RFC 3339 needs an offset.

    Raises:
        ProtocolError: it is none.
    """
    try:
        if how == "rfc3339":
            at = datetime.fromisoformat(word(value))
        else:
            seconds = number(value, text=True)
            if seconds is None:
                raise ProtocolError("no time")
            at = datetime.fromtimestamp(seconds / (1000 if how == "epoch_ms" else 1), UTC)
        if at.tzinfo is None:
            raise ProtocolError(f"{_short(value)} has no offset from UTC")
        return at.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ProtocolError(f"{_short(value)} is no time") from error


def bounded_time(at: datetime, now: datetime, ahead: timedelta) -> datetime:
    """A source's time as far as it can be true: a little ahead is now.

    Raises:
        ProtocolError: further ahead; it would look fresh long after its source died.
    """
    if at > now + ahead:
        raise ProtocolError(f"its clock is ahead by {at - now}")
    return min(at, now)


def _plain(payload: bytes) -> str:
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise ProtocolError("not text") from error


def _tokens(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _member(value: object, token: str, pointer: str) -> object:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
        return value[int(token)]
    raise ProtocolError(f"{pointer}: there is none")


def _short(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "a very large number"
    return repr(value)[:60] if not isinstance(value, int) else str(value)
