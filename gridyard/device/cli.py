"""`gridyard device ...`: find, check, watch and capture field devices.

Nothing is written to a device but by `check --write`, after a typed confirmation.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridyard.device import words
from gridyard.device.target import (
    BaudOption,
    CaOption,
    CertOption,
    FramingOption,
    KeyOption,
    ParityOption,
    SerialOption,
    StopBitsOption,
    TimeoutOption,
    WhereArgument,
    place,
    unit_ids,
)
from gridyard.printing import JsonOption
from gridyard.runner import Exit, configure_logs, fail, plain_errors

if TYPE_CHECKING:
    from site_agent.config.devices import ModbusSettings
    from site_agent.devices.commissioning.found import Found

app = typer.Typer(
    help="Find, check, watch and capture field devices: meters, batteries, inverters.",
    no_args_is_help=True,
)

_UNKNOWN = (
    "take what it reads (`capture --read 3:0-99`), compare it with its register list, and write a "
    "profile: docs/how-to/add-a-device-profile.md"
)
ProfileOption = Annotated[
    str | None,
    typer.Option(help="Take it for this device: the id of a profile, or a file (*.yaml)."),
]
UnitOption = Annotated[int, typer.Option("--unit", "-u", min=0, max=255, help="Unit id.")]


@app.command()
def probe(
    where: WhereArgument = None,
    *,
    serial: SerialOption = None,
    units: Annotated[
        str | None,
        typer.Option(metavar="IDS", help="Unit ids such as 1-10,126; else the usual ones."),
    ] = None,
    baud: BaudOption = 19200,
    parity: ParityOption = "E",
    stop_bits: StopBitsOption = 1,
    framing: FramingOption = "tcp",
    ca: CaOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    timeout: TimeoutOption = 1.0,
    profile: ProfileOption = None,
    every: Annotated[bool, typer.Option("--all", help="Also points without a value.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Who is there: asks unit by unit, and shows what each device is, says and needs as settings.

    Only reads. SunSpec devices are found at every base address, others by the profiles that come
    with the agent. Exit code 1 when nobody answers.
    """
    from gridyard.device import asking

    _quietly()
    with plain_errors():
        there = place(
            where, serial=serial, baud=baud, parity=parity, stop_bits=stop_bits, framing=framing,
            ca=ca, cert=cert, key=key, timeout=timeout,
        )  # fmt: skip
        sought = None if units is None else unit_ids(units)
        found = asyncio.run(asking.probe(there, sought, asking.known(profile), _say))
    _show(found, there, profile, every=every, as_json=as_json)
    if not found:
        fail(f"no device is known there\n  -> {_UNKNOWN}", Exit.FAILED)


def _show(
    found: list[Found], there: ModbusSettings, profile: str | None, *, every: bool, as_json: bool
) -> None:
    from site_agent.devices.commissioning.settings_block import settings_block

    blocks = [settings_block(device, there, profile) for device in found]
    if as_json:
        told = [
            device.as_dict() | {"settings": block}
            for device, block in zip(found, blocks, strict=True)
        ]
        typer.echo(json.dumps(told, indent=2))
        return
    for device, block in zip(found, blocks, strict=True):
        typer.echo("\n".join(words.found(device, block, every=every)))


@app.command()
def check(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="Settings of the agent.")],
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help="Its id, or meter; all when left out.")
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write", help="Also move batteries and inverters a little; asks first."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configured devices on themselves, before the agent may have them.

    Reach, identity, points, plausibility, sign, scale, rate. With --write also setpoints: a step of
    an eighth (an inverter: to half of what it makes), read back, measured, seen by the meter, kept
    alive over the device's own timer, and left to lapse. Refuses while the agent runs. Exit code 1
    when a line fails.
    """
    from contracts.config import load
    from gridyard.device import asking
    from site_agent.config import SiteSettings
    from site_agent.devices.commissioning.check import movable
    from site_agent.devices.commissioning.verdict import Line, Verdict

    _quietly()
    found: list[Line] = []

    def tell(line: Line) -> None:
        found.append(line)
        if not as_json:
            typer.echo("\n".join(words.verdict(line)))

    with plain_errors():
        settings = load(site, SiteSettings)
        takers = movable(settings, device)
        moved = frozenset(one for one in takers if write and _confirmed(one))
        try:
            asyncio.run(asking.check(settings, device, moved, tell))
        except asyncio.CancelledError:
            fail("broken off", Exit.FAILED)
    if as_json:
        typer.echo(json.dumps([line.as_dict() for line in found], indent=2))
    if any(line.verdict is Verdict.FAIL for line in found):
        fail("not everything is as it must be", Exit.FAILED)


def _confirmed(device: str) -> bool:
    """Whether a person wants this device to be moved: its id must be typed."""
    told = typer.prompt(
        f"{device} will be moved by a little for a minute or two, and a breaker may be near its "
        f"limit. Type {device} to go on, anything else to leave it alone",
        err=True,
        default="",
        show_default=False,
    )
    return str(told).strip() == device


@app.command()
def watch(
    where: WhereArgument = None,
    *,
    serial: SerialOption = None,
    unit: UnitOption = 1,
    site: Annotated[
        Path | None,
        typer.Option(
            "--site", "-s", help="A site's settings (YAML): its devices as its agent sees."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", "-d", help="With --site: only this one.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Names such as W or active_*; may be repeated.")
    ] = None,
    interval: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds between readings.")
    ] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    profile: ProfileOption = None,
    baud: BaudOption = 19200,
    parity: ParityOption = "E",
    stop_bits: StopBitsOption = 1,
    framing: FramingOption = "tcp",
    ca: CaOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    timeout: TimeoutOption = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Live values with unit, quality and age, until Ctrl-C. Only reads.

    Of one unit as it shows itself, or with --site of a site's devices in the agent's names and
    signs. --json prints one line a picture.
    """
    from contracts.config import load
    from gridyard.device import asking
    from gridyard.device.screen import Screen
    from site_agent.config import SiteSettings
    from site_agent.devices.commissioning.live import Pace

    _quietly()
    screen = Screen(only or [], as_json=as_json)
    pace = Pace(interval, count)
    with plain_errors(), suppress(KeyboardInterrupt):
        if site is not None:
            work = asking.watch_site(load(site, SiteSettings), device, pace, screen.show)
        else:
            there = place(
                where, serial=serial, baud=baud, parity=parity, stop_bits=stop_bits,
                framing=framing, ca=ca, cert=cert, key=key, timeout=timeout, unit=unit,
            )  # fmt: skip
            work = asking.watch_unit(there, asking.known(profile), pace, screen.show)
        asyncio.run(work)


@app.command()
def capture(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must be new.")],
    where: WhereArgument = None,
    *,
    serial: SerialOption = None,
    unit: UnitOption = 1,
    profile: ProfileOption = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--read", metavar="FC:ADDRESSES", help="Registers nobody names, such as 4:0-99,300-309."
        ),
    ] = None,
    keep_serials: Annotated[
        bool, typer.Option("--keep-serials", help="Do not replace serial numbers by X.")
    ] = False,
    note: Annotated[str, typer.Option(help="Where it comes from, for the file.")] = "",
    baud: BaudOption = 19200,
    parity: ParityOption = "E",
    stop_bits: StopBitsOption = 1,
    framing: FramingOption = "tcp",
    ca: CaOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    timeout: TimeoutOption = 1.0,
) -> None:
    """Write down what a device reads, for a test or for asking for help.

    Only reads: every SunSpec model, every point of the profile that fits, and the registers given
    with --read (function codes 1 to 4; may be repeated). `replay` plays the file back.
    """
    from gridyard.device import asking
    from site_agent.devices.commissioning.capture import dumps

    _quietly()
    with plain_errors():
        there = place(
            where, serial=serial, baud=baud, parity=parity, stop_bits=stop_bits, framing=framing,
            ca=ca, cert=cert, key=key, timeout=timeout, unit=unit,
        )  # fmt: skip
        ranges = [one for text in also or () for one in asking.ranges(text)]
        asking.check_new(out)
        taken = asyncio.run(
            asking.capture(
                there,
                ranges,
                asking.known(profile),
                keep_serials=keep_serials,
                note=note,
                tell=_say,
            )
        )
        asking.write(out, dumps(taken))
    count = sum(len(block.registers) for one in taken.units for block in one.blocks)
    typer.echo(f"{out}: {count} registers")
    if not keep_serials:
        typer.echo("serial numbers are replaced by X; look through the file before you send it")


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Written by `capture`.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen (0: any).")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve a capture as a Modbus TCP device until Ctrl-C; writes are refused."""
    from gridyard.device import asking
    from gridyard.runner import run_program
    from site_agent.devices.commissioning.capture import load

    _quietly()
    with plain_errors():
        captured = load(file)
    units = ", ".join(str(one.unit) for one in captured.units)

    def ready(where: tuple[str, int]) -> None:
        typer.echo(f"{file} answers at {where[0]}:{where[1]}, unit {units}")

    async def program(stopping: asyncio.Event) -> None:
        await asking.replay(captured, host, port, ready, stopping)

    run_program(program)


def _quietly() -> None:
    """What goes wrong is worded here; the library's own account of frames would bury it."""
    configure_logs(quiet=True)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


def _say(text: str) -> None:
    typer.echo(text, err=True)
