"""`gridyard site ...`: run a depot's agent; at the gateway, let sites in and look after them."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors, run_program
from gridyard.site.configure.cli import app as configure

app = typer.Typer(invoke_without_command=True)
app.add_typer(configure, name="configure")
agent = typer.Typer(help="Put a depot's agent into service.", no_args_is_help=True)

SettingsOption = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
]
SiteArgument = Annotated[str, typer.Argument(help="Site id, as in the gateway's settings.")]


@app.callback()
def site(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings file of the agent (YAML).")
    ] = None,
) -> None:
    """Run one depot's agent. With a command: manage sites at their gateway."""
    if context.invoked_subcommand is not None:
        if config is not None:
            raise typer.BadParameter(f"say it after `{context.invoked_subcommand}`", context)
        return
    if config is None:
        raise typer.BadParameter("say --config FILE to run an agent, or a command", context)
    _run(config)


def _run(config: Path) -> None:
    from contracts.clock import SystemClock
    from site_agent.main import run_file

    async def program(stopping: asyncio.Event) -> None:
        await run_file(config, SystemClock(), stopping)

    run_program(program)


@app.command()
def enrol(
    site_id: SiteArgument,
    config: SettingsOption,
    hours: Annotated[
        float, typer.Option(min=0.1, max=720, help="How long the token is good, hours.")
    ] = 24.0,
    as_json: JsonOption = False,
) -> None:
    """Make a one-time token with which a depot's agent gets its credentials.

    Run it on the gateway's machine; the gateway may be running. Take the token to the depot by a
    safe way: until it is used or over, whoever has it can be this site.
    """
    from contracts.clock import SystemClock
    from contracts.config import load
    from gateway.config import GatewaySettings
    from gridyard.site import access

    good_for, now = timedelta(hours=hours), SystemClock().now()
    with plain_errors():
        token = asyncio.run(access.enrol(load(config, GatewaySettings), site_id, now, good_for))
    until = now + good_for
    lines = [
        str(token),
        f"for {site_id}, once, until {until:%Y-%m-%d %H:%M} UTC. At the depot:",
        "  gridyard site-agent join --config site.yaml --token -",
    ]
    document = {"token": str(token), "site_id": site_id, "until": until.isoformat()}
    print_answer(document, lines, as_json=as_json)


@app.command()
def revoke(
    site_id: SiteArgument,
    config: SettingsOption,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "revoked by the operator",
    as_json: JsonOption = False,
) -> None:
    """Take back everything a site has: it is disconnected, and let in only by a new token.

    Run it on the gateway's machine. A running gateway does it within a second, one that is down at
    its next start.
    """
    from contracts.clock import SystemClock
    from contracts.config import load
    from gateway.config import GatewaySettings
    from gridyard.site import access

    with plain_errors():
        settings, now = load(config, GatewaySettings), SystemClock().now()
        count = asyncio.run(access.revoke(settings, site_id, now, reason))
    lines = [f"{site_id}: {count} credential{'' if count == 1 else 's'} revoked"]
    print_answer({"site_id": site_id, "revoked": count}, lines, as_json=as_json)


@app.command("list")
def list_(api: GatewayOption = GATEWAY, as_json: JsonOption = False) -> None:
    """Every site of a running gateway and how its agent is, a line each."""
    from gridyard.at_gateway.asking import asked
    from gridyard.site.words import list_lines

    with plain_errors():
        found = asyncio.run(asked(api, "sites"))
        print_answer(found, list_lines(found), as_json=as_json)


@app.command()
def show(site_id: SiteArgument, api: GatewayOption = GATEWAY, as_json: JsonOption = False) -> None:
    """One site of a running gateway: its agent's version, uptime, outbox, clock, gaps and mode."""
    from gridyard.at_gateway.asking import asked
    from gridyard.site.words import show_lines

    with plain_errors():
        found = asyncio.run(asked(api, f"sites/{site_id}"))
        print_answer(found, show_lines(found), as_json=as_json)


@agent.command()
def join(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Settings file of the agent (YAML).")
    ],
    token: Annotated[
        str, typer.Option(help="From `gridyard site enrol`; `-` reads it from stdin.")
    ] = "-",  # noqa: S107 (no secret: where to read it)
    again: Annotated[
        bool, typer.Option("--again", help="Replace the credentials that are there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make this site's keys and get its credentials from the gateway, for a one-time token.

    They go to the folder `link.credentials` of the settings; private keys never leave it. A running
    agent takes them up by itself. If it fails half-way, the same token serves again.
    """
    from contracts.config import load
    from contracts.errors import ConfigError
    from contracts.site_link.enrolment import Token
    from site_agent.config import SiteSettings
    from site_agent.uplink.joining import join as joined

    with plain_errors():
        settings = load(config, SiteSettings)
        if settings.link is None:
            raise ConfigError(f"{config}: no link: there is no gateway to join")
        told = Token.parse(sys.stdin.read(4096) if token == "-" else token)  # noqa: S105 (no secret: where it is)
        folder = settings.link.credentials
        issued = asyncio.run(joined(told, settings.site_id, folder, again=again))
    lines = [
        f"{issued.site_id}: credentials are in {folder}, good until {issued.until:%Y-%m-%d} UTC;"
        " the agent renews them by itself"
    ]
    document = {
        "site_id": issued.site_id,
        "folder": str(folder),
        "until": issued.until.isoformat(),
    }
    print_answer(document, lines, as_json=as_json)
