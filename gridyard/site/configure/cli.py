"""`gridyard site configure ...`: sites' settings from their gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.errors import ConfigError
from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="Change settings of sites from their gateway: check, push, watch, take back.",
    no_args_is_help=True,
)
SiteArgument = Annotated[str, typer.Argument(help="Site id, as in the gateway's settings.")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does it, for the record; else the system's user.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@app.command()
def push(
    file: Annotated[
        Path, typer.Argument(help="YAML over the sites' own files; an empty one takes all back.")
    ],
    sites: Annotated[list[str] | None, typer.Argument(help="Site ids, in order.")] = None,
    *,
    everywhere: Annotated[bool, typer.Option("--all", help="Every site of the gateway.")] = False,
    first: Annotated[
        int | None,
        typer.Option(min=1, help="So many first; the rest once it has proved itself there."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When sites try it, with offset; else at a quiet moment."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the sites what it would change; push nothing.")
    ] = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    api: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Let sites run with settings over those of their own files.

    Each site checks them itself, tries them at a quiet moment, and goes back by itself when it does
    not run well with them.
    """
    from contracts.config import read_text
    from gridyard.at_gateway.asking import told
    from gridyard.site.configure.words import pushed_lines

    with plain_errors():
        if everywhere == bool(sites):
            raise ConfigError("name the sites, or say --all")
        text = read_text(file)
        if dry_run:
            _dry_run(api, sites, text, as_json=as_json)
            return
        body: dict[str, object] = {
            "text": text,
            "sites": sites or [],
            "at": None if at is None else _instant(at).isoformat(),
            "first": first,
            **_who(by, reason),
        }
        found = asyncio.run(told(api, "configurations", body))
        print_answer(found, pushed_lines(found), as_json=as_json)


@app.command()
def status(
    sites: Annotated[
        list[str] | None, typer.Argument(help="Site ids; every site when left out.")
    ] = None,
    api: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """With which settings sites run, and how far what was pushed last is, a line each."""
    from gridyard.site.configure.words import status_lines

    with plain_errors():
        found = asyncio.run(_of_sites(api, sites))
        print_answer(found, status_lines(found), as_json=as_json)


@app.command()
def history(
    site_id: SiteArgument, api: GatewayOption = GATEWAY, as_json: JsonOption = False
) -> None:
    """All that was pushed to one site: when, by whom, why, and what became of it."""
    from gridyard.site.configure.words import history_lines

    with plain_errors():
        found = asyncio.run(_of_sites(api, [site_id]))[0]
        print_answer(found, history_lines(found), as_json=as_json)


@app.command()
def rollback(
    site_id: SiteArgument,
    by: ByOption = None,
    reason: ReasonOption = "",
    api: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Push what a site had before its newest configuration; without one, its own file alone."""
    from gridyard.at_gateway.asking import told
    from gridyard.site.configure.words import pushed_lines

    with plain_errors():
        path = f"sites/{site_id}/configuration/rollbacks"
        found = asyncio.run(told(api, path, _who(by, reason)))
        print_answer(found, pushed_lines([found]), as_json=as_json)


def _dry_run(api: str, sites: Sequence[str] | None, text: str, *, as_json: bool) -> None:
    """Ask every site; exit 1 when one would refuse."""
    from gridyard.at_gateway.asking import told
    from gridyard.site.configure.words import check_lines

    async def ask() -> dict[str, Any]:
        names = sites or await _all_sites(api)
        return {
            name: await told(api, f"sites/{name}/configuration/checks", {"text": text})
            for name in names
        }

    found = asyncio.run(ask())
    print_answer(found, check_lines(found), as_json=as_json)
    if any(one["state"] != "valid" for one in found.values()):
        raise typer.Exit(1)


async def _of_sites(api: str, sites: Sequence[str] | None) -> list[Any]:
    from gridyard.at_gateway.asking import asked

    names = sites or await _all_sites(api)
    return [await asked(api, f"sites/{name}/configuration") for name in names]


async def _all_sites(api: str) -> list[str]:
    from gridyard.at_gateway.asking import asked

    return [str(one["site_id"]) for one in await asked(api, "sites")]


def _who(by: str | None, reason: str) -> dict[str, object]:
    return {"by": by or getuser(), "reason": reason}


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--at {text!r} is no time: write 2026-07-01T02:00+02:00") from error
    if found.tzinfo is None:
        raise ConfigError(f"--at {text!r}: say the offset, such as {text}+00:00")
    return found
