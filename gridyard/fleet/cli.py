"""`gridyard fleet ...`: tell a running agent of vehicles, and connect the fleet's systems."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

if TYPE_CHECKING:
    from site_agent.config import SiteSettings

app = typer.Typer(help="Files, tokens and webhooks of a depot's fleet.", no_args_is_help=True)

SettingsOption = Annotated[
    Path,
    typer.Option("--site-settings", "--site", "-s", help="Settings file of the agent (YAML)."),
]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file of vehicles or of trips.")],
    site: SettingsOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the running agent of the vehicles or trips in a file: all of it or nothing."""
    from gridyard.fleet import asking, words

    with plain_errors():
        (done,) = asking.asked(site, "import", content=asking.content(file), dry_run=dry_run)
    print_answer(done, words.imported(done), as_json=as_json)


@app.command()
def vehicles(site: SettingsOption, as_json: JsonOption = False) -> None:
    """Every vehicle that the running agent knows, and from whom."""
    from gridyard.fleet import asking, words

    with plain_errors():
        found = asking.asked(site, "vehicles")
        zone = _settings(site).time_zone
    print_answer(found, words.vehicles(found, zone), as_json=as_json)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Of the program that will use it.")],
    write: Annotated[
        bool, typer.Option("--write", help="It may also change vehicles (fleet:write).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a token for the fleet API. It is shown once; the settings get its hash alone."""
    from pydantic import ValidationError

    from site_agent.config.fleet_systems import TokenSettings
    from site_agent.fleet.tokens import new_token

    secret, digest = new_token()
    scopes = ("fleet:read", "fleet:write") if write else ("fleet:read",)
    try:
        entry = TokenSettings(name=name, sha256=digest, scopes=scopes)
    except ValidationError:
        fail(f"{name!r} is no name: letters, digits, '.', '_' and '-', 60 at most", Exit.FAILED)
        return
    told = {"token": secret, "settings": entry.model_dump(mode="json")}
    line = f"- {{name: {name}, sha256: {digest}, scopes: [{', '.join(map(repr, scopes))}]}}"
    lines = [
        f"token, shown only now:  {secret}",
        "into the settings, under fleet_systems, api, tokens:",
        f"  {line}".replace("'", '"'),
    ]
    print_answer(told, lines, as_json=as_json)


@app.command()
def secret(
    file: Annotated[Path, typer.Argument(help="Where to write it (mode 0600); it must be new.")],
) -> None:
    """Make a secret that webhooks are signed with."""
    from contracts.private_files import write_private
    from site_agent.fleet.webhooks.signing import new_secret

    if file.exists():
        fail(f"{file}: is there already; it is not overwritten", Exit.FAILED)
    try:
        write_private(file, new_secret().encode() + b"\n")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}", Exit.FAILED)
    typer.echo(f"the secret is in {file}; give a copy of it to the receiver")


@app.command("webhook-test")
def webhook_test(
    site: SettingsOption,
    name: Annotated[str | None, typer.Argument(help="Which webhook; all when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a signed event `webhook.test` once, and say what the receiver answered."""
    from gridyard.fleet import trying, words

    with plain_errors():
        tried = asyncio.run(trying.tried(_settings(site), name))
    print_answer(tried, words.tried(tried), as_json=as_json)
    if not all(one["heard"] for one in tried):
        fail("not every webhook was heard", Exit.FAILED)


def _settings(site: Path) -> SiteSettings:
    from contracts.config import load
    from site_agent.config import SiteSettings

    return load(site, SiteSettings)
