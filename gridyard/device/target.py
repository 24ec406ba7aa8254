"""Which device is meant: options of the command line as the settings of a link."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import ConfigError

if TYPE_CHECKING:
    from site_agent.config.devices import ModbusSettings

WhereArgument = Annotated[
    str | None, typer.Argument(metavar="HOST[:PORT]", help="Where it is; port 502, or 802 in TLS.")
]
SerialOption = Annotated[
    str | None, typer.Option("--serial", metavar="DEV", help="A serial device instead of a host.")
]
BaudOption = Annotated[int, typer.Option(help="Speed of the serial line.")]
ParityOption = Annotated[str, typer.Option(help="Of the serial line: N, E or O.")]
StopBitsOption = Annotated[int, typer.Option(help="Of the serial line: 1 or 2.")]
FramingOption = Annotated[
    str, typer.Option(help="tcp, or rtu: a serial bus behind a transparent socket server.")
]
CaOption = Annotated[Path | None, typer.Option(help="TLS: the root of the device's certificate.")]
CertOption = Annotated[Path | None, typer.Option(help="TLS: our certificate.")]
KeyOption = Annotated[Path | None, typer.Option(help="TLS: its key.")]
TimeoutOption = Annotated[float, typer.Option(help="How long an answer may take, s.")]

_HIGHEST_UNIT = 255
_MOST_UNITS = 256


def place(
    where: str | None,
    *,
    serial: str | None = None,
    baud: int = 19200,
    parity: str = "E",
    stop_bits: int = 1,
    framing: str = "tcp",
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    timeout: float = 1.0,
    unit: int = 1,
) -> ModbusSettings:
    """The options as a site's settings would say them.

    Raises:
        ConfigError: they do not fit together.
    """
    from pydantic import ValidationError

    from site_agent.config.devices import ModbusSettings

    host, port = (None, None) if where is None else _host_and_port(where)
    tls = {"ca": ca, "cert": cert, "key": key} if ca or cert or key else None
    line = {"device": serial, "baud": baud, "parity": parity.upper(), "stop_bits": stop_bits}
    told = {
        "host": host,
        "port": port,
        "unit": unit,
        "framing": framing,
        "timeout_s": timeout,
        "tls": tls,
        "serial": None if serial is None else line,
    }
    try:
        return ModbusSettings.model_validate(told)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = [f"{'.'.join(map(str, f['loc'])) or 'device'}: {f['msg']}" for f in faults]
        raise ConfigError("\n".join(said)) from error


def numbers(text: str, *, highest: int, most: int) -> tuple[int, ...]:
    """Numbers and ranges such as `1-10,126`, each once.

    Raises:
        ConfigError: something else, beyond `highest`, or more than `most`.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() and len(end) <= 5 for end in ends):  # noqa: PLR2004 - digits of 65535
            raise ConfigError(f"{part.strip()!r}: a number or a range such as 1-10 is wanted")
        low, high = map(int, ends)
        if not low <= high <= highest:
            raise ConfigError(f"{part.strip()}: from low to high, at most {highest}")
        found |= dict.fromkeys(range(low, high + 1))
        if len(found) > most:
            raise ConfigError(f"{text}: more than {most}")
    return tuple(found)


def unit_ids(text: str) -> tuple[int, ...]:
    """Unit ids; raises as `numbers`."""
    return numbers(text, highest=_HIGHEST_UNIT, most=_MOST_UNITS)


def _host_and_port(where: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `[v6]:port` or a bare IPv6 address."""
    if where.startswith("["):
        host, bracket, rest = where[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError(f"{where}: [ADDRESS]:PORT is wanted")
        return host, _port(rest[1:], where) if rest else None
    if where.count(":") > 1:
        return where, None
    host, colon, port = where.partition(":")
    return host, _port(port, where) if colon else None


def _port(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):  # noqa: PLR2004 - the highest port
        raise ConfigError(f"{where}: the port is a number from 1 to 65535")
    return int(text)
