"""`gridyard sep2 ...`: commission and look into an IEEE 2030.5 connection."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridyard.runner import Exit, fail, plain_errors

if TYPE_CHECKING:
    from gateway.utility.sep2.settings import Sep2Settings
    from gateway.utility.sep2.transport import Sep2Transport

app = typer.Typer(help="Commission and look into an IEEE 2030.5 connection.", no_args_is_help=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
]
UtilityOption = Annotated[
    str | None, typer.Option("--utility", "-u", help="Which utility, when there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


@app.command()
def lfdi(
    certificate: Annotated[Path, typer.Argument(help="Certificate (PEM).")],
    as_json: JsonOption = False,
) -> None:
    """Long and short identifier of a certificate, as a utility wants them for enrolment."""
    from contracts.identity import certificate_der
    from contracts.identity import lfdi as long_form
    from contracts.identity import sfdi as short_form

    with plain_errors():
        name = long_form(certificate_der(certificate))
    if as_json:
        typer.echo(json.dumps({"lfdi": name, "sfdi": short_form(name)}))
    else:
        typer.echo(f"LFDI  {name}\nSFDI  {short_form(name)}")


@app.command()
def check(config: ConfigOption, utility: UtilityOption = None, as_json: JsonOption = False) -> None:
    """Connect as the gateway would and say, step by step, what the server knows of us.

    Nothing is changed on the server. Exit code 1 when a step fails.
    """
    from contracts.clock import SystemClock
    from gridyard.sep2.check import check as steps
    from gridyard.sep2.session import with_server

    async def look(settings: Sep2Settings, transport: Sep2Transport) -> bool:
        found = [one async for one in steps(settings, transport, SystemClock())]
        if as_json:
            typer.echo(json.dumps([one.as_dict() for one in found], indent=2))
        else:
            for one in found:
                typer.echo(f"{'ok  ' if one.ok else 'FAIL'}  {one.step}: {one.detail}")
                if one.hint:
                    typer.echo(f"      -> {one.hint}")
        return all(one.ok for one in found)

    with plain_errors():
        ready = with_server(config, utility, look)
    if not ready:
        fail("the connection is not ready", Exit.FAILED)


@app.command()
def tree(config: ConfigOption, utility: UtilityOption = None, as_json: JsonOption = False) -> None:
    """Walk the server by its links and print every resource it shows us."""
    from gridyard.sep2.session import with_server
    from gridyard.sep2.tree import walk

    async def look(_settings: Sep2Settings, transport: Sep2Transport) -> bool:
        nodes = []
        async for node in walk(transport):
            nodes.append(node)
            if not as_json:
                mark = "  (cannot be read) " if node.failed else "  "
                typer.echo(f"{'  ' * node.depth}{node.name} {node.href}{mark}{node.about}".rstrip())
        if as_json:
            typer.echo(json.dumps([node.as_dict() for node in nodes], indent=2))
        return True

    with plain_errors():
        with_server(config, utility, look)


@app.command()
def certify(
    config: ConfigOption,
    utility: UtilityOption = None,
    write: Annotated[
        bool, typer.Option("--write", help="Also what posts to the server, as the gateway would.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the CSIP test procedures that a client can run against any server.

    Exit code 1 when one fails. Procedures that only a utility can start are not among them.
    """
    from contracts.clock import SystemClock
    from gridyard.sep2.certify import Bench
    from gridyard.sep2.certify import certify as procedures
    from gridyard.sep2.session import with_server

    async def look(settings: Sep2Settings, transport: Sep2Transport) -> bool:
        bench = Bench(settings=settings, transport=transport, clock=SystemClock())
        found = [one async for one in procedures(bench, write=write)]
        if as_json:
            typer.echo(json.dumps([one.as_dict() for one in found], indent=2))
        for one in [] if as_json else found:
            word = {True: "pass", False: "FAIL", None: "n/a "}[one.passed]
            typer.echo(f"{word}  {one.procedure}  {one.title}: {one.detail}")
        return all(one.passed is not False for one in found)

    with plain_errors():
        ready = with_server(config, utility, look)
    if not ready:
        fail("a procedure fails", Exit.FAILED)


@app.command()
def procedures(as_json: JsonOption = False) -> None:
    """The CSIP test procedures the simulated utility can play, and the devices they are about.

    Play one with `gridyard utility-sim --procedure`: the client to be tested is an aggregator of
    the simulator's settings and stands in for these devices, all with PIN 111115.
    """
    from vtn_sim.sep2.procedures import catalogue

    with plain_errors():
        found = catalogue()
    if as_json:
        listed = [
            {"id": one.id, "title": one.title, "clauses": one.clauses, "devices": one.lfdis}
            for one in found.values()
        ]
        typer.echo(json.dumps(listed, indent=2))
        return
    typer.echo("\n".join(f"{one.id:10} {one.title}" for one in found.values()))
    lfdis = {label: lfdi for one in found.values() for label, lfdi in one.lfdis.items()}
    typer.echo("\n".join(f"{label}  LFDI {lfdi}" for label, lfdi in sorted(lfdis.items())))


@app.command("in-force")
def in_force(
    site: Annotated[str, typer.Argument(help="Site id.")],
    api: Annotated[str, typer.Option(help="Address of the running gateway.")] = (
        "http://127.0.0.1:8080"
    ),
    as_json: JsonOption = False,
) -> None:
    """What utilities impose on a site at this moment and later, and why."""
    from gridyard.sep2.in_force import described, imposed

    with plain_errors():
        found = asyncio.run(imposed(api, site))
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(described(site, found)))
