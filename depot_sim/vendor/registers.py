"""A vendor's register map: named numbers at addresses, packed as its document says."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_CODES = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
_NEAR = 16
"""Registers between two entries that still read as 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number: value = raw * `scale`. `text` entries hold that many registers of ASCII."""

    at: int
    type: str = "uint16"
    """A key of `_CODES`."""
    scale: float = 1.0
    text: int = 0
    writable: bool = False
    fixed: bool = False
    """Not measured: it stays when measured values are lost."""

    @property
    def size(self) -> int:
        """Registers."""
        return self.text or struct.calcsize(_CODES[self.type]) // 2


class RegisterMap:
    """Entries of one table, read in any blocks: what lies between entries reads as 0.

    `low_word_first`: numbers of several registers begin with their low word.
    """

    def __init__(self, entries: Mapping[str, Entry], *, low_word_first: bool = False) -> None:
        self._entries = entries
        self._reverse = low_word_first
        self._values: dict[str, float | str] = dict.fromkeys(entries, 0.0)
        self._spans = _spans(entries.values())

    def put(self, name: str, value: float | str) -> None:
        """Set a value in its unit."""
        self._values[name] = value

    def get(self, name: str) -> float:
        """A number in its unit; 0 until it is put."""
        value = self._values[name]
        return 0.0 if isinstance(value, str) else value

    def view(self, address: int, count: int, *, blank: bool = False) -> list[int] | None:
        """Registers as a client sees them; None where the device has none.

        With `blank`, measured values say "no value": the greatest number of signed types, all ones
        of unsigned ones, NaN of floats.
        """
        wanted = range(address, address + count)
        if not any(span.start <= address and wanted.stop <= span.stop for span in self._spans):
            return None
        seen = [0] * count
        for name, entry in self._entries.items():
            for offset, word in enumerate(self._words(name, entry, blank=blank), entry.at):
                if offset in wanted:
                    seen[offset - address] = word
        return seen

    def write(self, address: int, values: Sequence[int]) -> list[str] | None:
        """Take in registers that are whole writable entries; their names, or None: not these."""
        found, at, end = {}, address, address + len(values)
        places = {entry.at: name for name, entry in self._entries.items() if entry.writable}
        while at < end:
            name = places.get(at)
            if name is None or at + self._entries[name].size > end:
                return None
            entry = self._entries[name]
            words = values[at - address : at - address + entry.size]
            found[name] = self._value(entry, words)
            at += entry.size
        if not all(math.isfinite(value) for value in found.values()):
            return None
        self._values |= found
        return list(found)

    def _words(self, name: str, entry: Entry, *, blank: bool) -> list[int]:
        value = self._values[name]
        if isinstance(value, str):
            return _unpacked(value.encode("ascii", "replace")[: 2 * entry.text], 2 * entry.text)
        raw = _nothing(entry) if blank and not entry.fixed else _raw(entry, value)
        data = struct.pack(f">{_CODES[entry.type]}", raw)
        words = _unpacked(data, len(data))
        return words[::-1] if self._reverse else words

    def _value(self, entry: Entry, words: Sequence[int]) -> float:
        ordered = words[::-1] if self._reverse else words
        data = b"".join(word.to_bytes(2, "big") for word in ordered)
        return float(struct.unpack(f">{_CODES[entry.type]}", data)[0]) * entry.scale


def _spans(entries: Iterable[Entry]) -> list[range]:
    """Where registers are: entries nearer than a block to one another share one span."""
    spans: list[range] = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        end = entry.at + entry.size
        if spans and entry.at <= spans[-1].stop + _NEAR:
            spans[-1] = range(spans[-1].start, max(end, spans[-1].stop))
        else:
            spans.append(range(entry.at, end))
    return spans


def _raw(entry: Entry, value: float) -> float | int:
    """What goes into the registers: rounded, and at most what they can say."""
    if entry.type.startswith("float"):
        return value / entry.scale
    low, high = _extent(entry)
    return max(low, min(high, round(value / entry.scale)))


def _nothing(entry: Entry) -> float | int:
    return math.nan if entry.type.startswith("float") else _extent(entry)[1]


def _extent(entry: Entry) -> tuple[int, int]:
    """The least and the greatest number of an integer type."""
    bits = 16 * entry.size
    signed = entry.type.startswith("int")
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _unpacked(data: bytes, size: int) -> list[int]:
    padded = data.ljust(size, b"\0")
    return [int.from_bytes(padded[at : at + 2], "big") for at in range(0, size, 2)]
