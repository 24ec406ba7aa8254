"""A capture: what the registers of a device read at one time, as a JSON file.

::

    {"gridyard_capture": 1,
     "taken_at": "2026-01-05T12:00:00Z",
     "source": "on site, by `gridyard device capture`",
     "device": {"manufacturer": "Acme", "model": "One", "version": "1.2", "serial": "XXXXXXXX"},
     "profile": "acme.one",
     "units": [
       {"unit": 1,
        "blocks": [{"function": 3, "address": 40000, "words": "5375 6E53 0001 0042"}],
        "refused": [{"function": 3, "address": 0, "count": 2, "exception": 2}]}]}

Addresses are those on the wire, from 0. `words` are the registers in hexadecimal, in the order in
which the device keeps them; of functions 1 and 2 (coils, discrete inputs) each word is 0000 or
0001. `refused` are reads that the device answered with an exception code. Whatever is in no block
was not read. `source`, `device`, `profile` and `refused` may be left out. No host is named, and
serial numbers are replaced by X unless somebody wants them (`without_serials`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.errors import ConfigError, ProtocolError
from site_agent.devices.modbus.replies import MAX_READ

MAX_BYTES = 4 * 1024 * 1024
_MAX_UNITS = 256
_MAX_BLOCKS = 10_000
_ADDRESSES = 0x10000
_BLANK = 0x5858
"""XX: what stands for two characters of a serial number."""
_SHORTEST_SERIAL = 4
"""Characters; less is found by chance."""
_REGISTERS = (3, 4)
"""Functions whose words hold characters."""

Function = Literal[1, 2, 3, 4]
"""Modbus function codes that read: coils, discrete inputs, holding registers, input registers."""
_Address = Annotated[int, Field(ge=0, lt=_ADDRESSES)]
_Text = Annotated[str, Field(max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Block(_Part):
    """Consecutive registers that were read."""

    function: Function
    address: _Address
    words: Annotated[
        str, Field(pattern=rf"^[0-9A-Fa-f]{{4}}( [0-9A-Fa-f]{{4}}){{0,{MAX_READ - 1}}}$")
    ]

    @property
    def registers(self) -> tuple[int, ...]:
        """The registers' values."""
        return tuple(int(word, 16) for word in self.words.split(" "))


class Refusal(_Part):
    """A read that the device answered with an exception."""

    function: Function
    address: _Address
    count: Annotated[int, Field(ge=1, le=MAX_READ)]
    exception: Annotated[int, Field(ge=1, le=255)]


class Unit(_Part):
    """One unit id, and what it answered."""

    unit: Annotated[int, Field(ge=0, le=255)]
    blocks: Annotated[tuple[Block, ...], Field(max_length=_MAX_BLOCKS)]
    refused: Annotated[tuple[Refusal, ...], Field(max_length=_MAX_BLOCKS)] = ()

    @model_validator(mode="after")
    def _read_once(self) -> Self:
        seen: set[tuple[int, int]] = set()
        for block in self.blocks:
            words = block.registers
            if block.address + len(words) > _ADDRESSES:
                raise ValueError(f"block at {block.address}: addresses end at {_ADDRESSES - 1}")
            if block.function in (1, 2) and max(words) > 1:
                raise ValueError(f"block at {block.address}: a bit is 0000 or 0001")
            places = {(block.function, block.address + n) for n in range(len(words))}
            if twice := seen & places:
                raise ValueError(f"register {min(twice)[1]} stands in two blocks")
            seen |= places
        return self


class Device(_Part):
    """The device as it introduces itself."""

    manufacturer: _Text | None = None
    model: _Text | None = None
    version: _Text | None = None
    serial: _Text | None = None


class Capture(_Part):
    """A whole capture; see the module."""

    gridyard_capture: Literal[1] = 1
    taken_at: AwareDatetime
    source: _Text = ""
    device: Device = Device()
    profile: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,80}$")] | None = None
    units: Annotated[tuple[Unit, ...], Field(min_length=1, max_length=_MAX_UNITS)]

    @model_validator(mode="after")
    def _units_once(self) -> Self:
        if len({one.unit for one in self.units}) < len(self.units):
            raise ValueError("a unit stands there twice")
        return self


def load(path: Path) -> Capture:
    """Read a capture's file.

    Raises:
        ConfigError: it cannot be read.
        ProtocolError: it is no capture, or too large; the message names the place.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    return loads(data, str(path))


def loads(data: bytes | str, name: str = "capture") -> Capture:
    """As `load`, from text; `name` stands for the file in messages."""
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        return Capture.model_validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "file"
        raise ProtocolError(f"{name}: no capture: {where}: {fault['msg']}") from error


def dumps(capture: Capture) -> str:
    """The text of a capture's file."""
    return capture.model_dump_json(indent=1) + "\n"


class Recorder:
    """Gathers what is read; of a register that was read twice the newest value stands."""

    def __init__(self) -> None:
        self._words: dict[tuple[int, Function], dict[int, int]] = {}
        self._refused: dict[int, dict[tuple[Function, int, int], int]] = {}

    def read(self, unit: int, function: Function, address: int, words: Sequence[int]) -> None:
        """Registers have been read."""
        self._words.setdefault((unit, function), {}).update(enumerate(words, address))

    def refused(self, unit: int, function: Function, address: int, count: int, code: int) -> None:
        """The device has answered with an exception."""
        self._refused.setdefault(unit, {})[function, address, count] = code

    def capture(
        self, now: datetime, *, device: Device, profile: str | None = None, source: str = ""
    ) -> Capture:
        """What was gathered.

        Raises:
            ProtocolError: nothing was, or more than a capture holds.
        """
        numbers = sorted({unit for unit, _ in self._words} | self._refused.keys())
        try:
            return Capture(
                taken_at=now,
                source=source,
                device=device,
                profile=profile,
                units=tuple(self._unit(number) for number in numbers),
            )
        except ValidationError as error:
            raise ProtocolError(f"no capture: {error.errors()[0]['msg']}") from error

    def _unit(self, number: int) -> Unit:
        blocks = [
            block
            for (unit, function), words in sorted(self._words.items())
            if unit == number
            for block in blocks_of(function, words)
        ]
        refused = _least(self._refused.get(number, {}))
        return Unit(unit=number, blocks=tuple(blocks), refused=tuple(refused))


def _least(refused: Mapping[tuple[Function, int, int], int]) -> Iterator[Refusal]:
    """The refusals that say all: none that holds a smaller one, neighbours as one."""
    least: dict[tuple[Function, int], Refusal] = {}
    for (function, address, count), code in sorted(refused.items(), key=lambda one: one[0][2]):
        end = address + count
        inside = (least.get((function, start)) for start in range(address, end))
        if not any(one is not None and one.address + one.count <= end for one in inside):
            least[function, address] = Refusal(
                function=function, address=address, count=count, exception=code
            )
    last: Refusal | None = None
    for _, one in sorted(least.items()):
        joined = None if last is None else _joined(last, one)
        if last is not None and joined is None:
            yield last
        last = joined or one
    if last is not None:
        yield last


def _joined(one: Refusal, following: Refusal) -> Refusal | None:
    alike = (one.function, one.exception) == (following.function, following.exception)
    count = one.count + following.count
    if not alike or one.address + one.count != following.address or count > MAX_READ:
        return None
    return one.model_copy(update={"count": count})


def runs(addresses: Iterable[int]) -> Iterator[list[int]]:
    """Neighbours together."""
    run: list[int] = []
    for address in sorted(addresses):
        if run and address != run[-1] + 1:
            yield run
            run = []
        run.append(address)
    if run:
        yield run


def blocks_of(function: Function, words: Mapping[int, int]) -> Iterator[Block]:
    """Registers by address as blocks of neighbours, each of what one request can read."""
    for run in runs(words):
        for start in range(0, len(run), MAX_READ):
            yield _block(function, run[start : start + MAX_READ], words)


def _block(function: Function, run: Sequence[int], words: Mapping[int, int]) -> Block:
    text = " ".join(f"{words[address]:04X}" for address in run)
    return Block(function=function, address=run[0], words=text)


def without_serials(
    capture: Capture,
    serials: Iterable[str] = (),
    spans: Iterable[tuple[int, Function, int, int]] = (),
) -> Capture:
    """The capture with X for serial numbers.

    Replaced are the one that the device told and `serials`, wherever they stand in characters, and
    whatever stands at `spans` (unit, function, address, count).
    """
    places = {
        (unit, function, address + n)
        for unit, function, address, count in spans
        for n in range(count)
    }
    told = capture.device.serial
    texts = {text.encode() for text in (told or "", *serials) if len(text) >= _SHORTEST_SERIAL}
    units = tuple(_masked(unit, places, texts) for unit in capture.units)
    device = capture.device.model_copy(update={"serial": told and "X" * len(told)})
    return capture.model_copy(update={"units": units, "device": device})


def _masked(unit: Unit, places: set[tuple[int, Function, int]], texts: set[bytes]) -> Unit:
    """A serial number may go over the border of two blocks, so neighbours are joined first."""
    tables: dict[Function, dict[int, int]] = {}
    for block in unit.blocks:
        words = enumerate(block.registers, block.address)
        tables.setdefault(block.function, {}).update(
            (at, _BLANK if word and (unit.unit, block.function, at) in places else word)
            for at, word in words
        )
    for function, table in tables.items():
        if function in _REGISTERS:
            _replace(table, texts)
    blocks = (one for function, table in tables.items() for one in blocks_of(function, table))
    return unit.model_copy(update={"blocks": tuple(blocks)})


def _replace(table: dict[int, int], texts: set[bytes]) -> None:
    for run in runs(table):
        data = b"".join(table[address].to_bytes(2, "big") for address in run)
        for text in texts:
            data = data.replace(text, b"X" * len(text))
        table.update(zip(run, struct.unpack(f">{len(run)}H", data), strict=True))
