"""`gridyard sep2 ...`: commission and look into an IEEE 2030.5 connection."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.printing import JsonOption, print_answer
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
SiteArgument = Annotated[str, typer.Argument(help="Site id.")]
ControlArgument = Annotated[str, typer.Argument(help="mRID of the control.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the journal.")]


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
    from gridyard.findings import show
    from gridyard.sep2.check import check as steps
    from gridyard.sep2.session import with_server

    async def look(settings: Sep2Settings, transport: Sep2Transport) -> bool:
        found = [one async for one in steps(settings, transport, SystemClock())]
        return show(found, as_json=as_json)

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
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Leave out what writes on the server.")
    ] = False,
    watch: Annotated[
        str | None,
        typer.Option(help="Run our client while the utility's operator acts in this procedure."),
    ] = None,
    lasts: Annotated[str, typer.Option("--for", help="How long to watch: 90s, 30m, 2h.")] = "30m",
    as_json: JsonOption = False,
) -> None:
    """Run the CSIP test procedures against a utility's server, as far as a client can.

    By default all that need nobody; then those are listed in which the utility's operator has to
    act (run one with --watch), and those that no client can do. What writes on the server cleans up
    after itself where the server lets it. No site is touched. Stop the gateway first: two clients
    would answer the same events. Exit code 1 when one fails or was not seen.
    """
    from gridyard.sep2.certify.command import run_all, run_watch
    from gridyard.sep2.session import chosen

    with plain_errors():
        settings = chosen(config, utility)
        if watch is None:
            good = run_all(settings, write=not read_only, as_json=as_json)
        else:
            good = run_watch(settings, watch, lasts, as_json=as_json)
    if not good:
        fail("a procedure fails" if watch is None else "not passed", Exit.FAILED)


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
    site: SiteArgument,
    api: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """What utilities impose on a site at this moment and later, and why."""
    from gridyard.sep2.in_force import described, imposed

    with plain_errors():
        found = asyncio.run(imposed(api, site))
    print_answer(found, described(site, found), as_json=as_json)


@app.command()
def controls(site: SiteArgument, api: GatewayOption = GATEWAY, as_json: JsonOption = False) -> None:
    """Controls that bind a site now or later, and whether it takes part in each."""
    from gridyard.sep2.choices import controls as listed
    from gridyard.sep2.choices import described

    with plain_errors():
        found = asyncio.run(listed(api, site))
    print_answer(found, described(site, found), as_json=as_json)


@app.command("opt-out")
def opt_out(
    site: SiteArgument,
    control: ControlArgument,
    utility: UtilityOption = None,
    reason: ReasonOption = "",
    api: GatewayOption = GATEWAY,
) -> None:
    """Take a site out of a control, where the utility's settings allow it."""
    _choose(api, site, control, "out", utility, reason)


@app.command("opt-in")
def opt_in(
    site: SiteArgument,
    control: ControlArgument,
    utility: UtilityOption = None,
    reason: ReasonOption = "",
    api: GatewayOption = GATEWAY,
) -> None:
    """Let a site take part in a control again."""
    _choose(api, site, control, "in", utility, reason)


def _choose(
    api: str, site: str, control: str, way: Literal["out", "in"], utility: str | None, reason: str
) -> None:
    from gridyard.sep2.choices import choose

    with plain_errors():
        done = asyncio.run(choose(api, site, control, way, utility=utility, reason=reason))
    typer.echo(f"{site} has opted {way}: control {done['control_id']} of {done['utility_id']}")
