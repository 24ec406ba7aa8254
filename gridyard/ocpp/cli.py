"""`gridyard ocpp ...`: see, ask and command the chargers of a running agent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from gridyard.ocpp.agent import Agent
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    help="See, ask and command the chargers of a running agent.", no_args_is_help=True
)

SiteOption = Annotated[
    Path | None, typer.Option("--site", "-s", help="Settings file of the agent (YAML).")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data folder of the agent, instead of --site.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
ChargerArgument = Annotated[str, typer.Argument(metavar="CP", help="Charge point id.")]
EvseArgument = Annotated[int, typer.Argument(min=1, help="EVSE (1.6: connector) number.")]
EvseOption = Annotated[
    int | None, typer.Option("--evse", "-e", min=1, help="EVSE (1.6: connector) number.")
]


@app.command("list")
def list_(site: SiteOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every charging station: who it is, what is plugged in, limits and faults."""
    from gridyard.ocpp import words

    with plain_errors():
        found = Agent(site, data).all("list")
    _show(found, words.stations(found), as_json=as_json)


@app.command()
def show(
    charge_point: ChargerArgument,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything known of one station: abilities, settings, events, faults and their meaning."""
    from gridyard.ocpp import words

    with plain_errors():
        found = Agent(site, data).one("show", charge_point=charge_point)
    _show(found, words.details(found), as_json=as_json)


# --- settings -------------------------------------------------------------------------------------


@app.command()
def get(
    charge_point: ChargerArgument,
    keys: Annotated[
        list[str] | None, typer.Argument(help="Names; 2.0.1: Component.Variable.")
    ] = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read settings of a charger; without names, those that matter to the agent."""
    from gridyard.ocpp import words

    with plain_errors():
        found = Agent(site, data).one("get", charge_point=charge_point, keys=keys or [])
    _show(found, words.settings(found), as_json=as_json)


@app.command("set")
def set_(
    charge_point: ChargerArgument,
    key: Annotated[str, typer.Argument(help="Name; 2.0.1: Component.Variable.")],
    value: str,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change one setting of a charger."""
    _order(site, data, as_json, "set", charge_point=charge_point, key=key, value=value)


# --- charging -------------------------------------------------------------------------------------


@app.command()
def composite(
    charge_point: ChargerArgument,
    evse: EvseArgument = 1,
    hours: Annotated[int, typer.Option(min=1, max=48, help="How far to look.")] = 1,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a charger says it will allow, all its profiles together."""
    from gridyard.ocpp import words

    with plain_errors():
        found = Agent(site, data).one(
            "composite", charge_point=charge_point, evse=evse, hours=hours
        )
    _show(found, words.schedule(found), as_json=as_json)


@app.command()
def start(
    charge_point: ChargerArgument,
    id_tag: Annotated[str, typer.Argument(help="Id tag to charge for.")],
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a transaction from here."""
    _order(site, data, as_json, "start", charge_point=charge_point, id_tag=id_tag, evse=evse)


@app.command()
def stop(
    charge_point: ChargerArgument,
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the transaction of an EVSE from here."""
    _order(site, data, as_json, "stop", charge_point=charge_point, evse=evse)


# --- the hardware ---------------------------------------------------------------------------------


@app.command()
def trigger(
    charge_point: ChargerArgument,
    message: Annotated[str, typer.Argument(help="Such as StatusNotification or MeterValues.")],
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a charger for a message."""
    _order(site, data, as_json, "trigger", charge_point=charge_point, message=message, evse=evse)


@app.command()
def reset(
    charge_point: ChargerArgument,
    hard: Annotated[
        bool, typer.Option("--hard", help="At once, without ending transactions first.")
    ] = False,
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a charger, or one EVSE of it (2.0.1)."""
    _order(site, data, as_json, "reset", charge_point=charge_point, hard=hard, evse=evse)


@app.command()
def unlock(
    charge_point: ChargerArgument,
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let go of a cable that is locked in."""
    _order(site, data, as_json, "unlock", charge_point=charge_point, evse=evse)


@app.command()
def availability(
    charge_point: ChargerArgument,
    state: Annotated[str, typer.Argument(metavar="on|off", help="In or out of service.")],
    evse: EvseOption = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an EVSE, or the whole station, in or out of service."""
    if state not in ("on", "off"):
        raise typer.BadParameter("on or off", param_hint="on|off")
    _order(
        site, data, as_json, "availability",
        charge_point=charge_point, operative=state == "on", evse=evse,
    )  # fmt: skip


@app.command()
def call(
    charge_point: ChargerArgument,
    action: Annotated[str, typer.Argument(help="Such as GetConfiguration.")],
    payload: Annotated[str, typer.Argument(help="JSON object; - reads it from stdin.")] = "{}",
    yes: Annotated[bool, typer.Option("--yes", help="Also what could harm.")] = False,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send any CALL of the charger's OCPP version; checked against its schema first."""
    with plain_errors():
        content = _object(sys.stdin.read() if payload == "-" else payload)
    _order(
        site, data, as_json, "call",
        charge_point=charge_point, action=action, payload=content, yes=yes,
    )  # fmt: skip


def _order(
    site: Path | None, data: Path | None, as_json: bool, command: str, **args: object
) -> None:
    """Run a command that the charger accepts or not; exit code 1 when not."""
    with plain_errors():
        found = Agent(site, data).one(command, **args)
    answer = json.dumps(found["answer"], ensure_ascii=False)
    _show(found, [f"{'accepted' if found['ok'] else 'NOT accepted'}: {answer}"], as_json=as_json)
    if not found["ok"]:
        fail("the charger did not do it", Exit.FAILED)


def _object(text: str) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the payload is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError("the payload must be a JSON object")
    return value


def _show(document: object, lines: Iterable[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))
