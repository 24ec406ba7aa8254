"""`gridyard ocpp ...`: see, ask and command the chargers of a running agent."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.errors import ConfigError
from gridyard.ocpp import words
from gridyard.ocpp.agent import Agent, Json
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, configure_logs, fail, plain_errors

app = typer.Typer(
    help="See, ask and command the chargers of a running agent.", no_args_is_help=True
)

SiteOption = Annotated[
    Path | None, typer.Option("--site", "-s", help="Settings file of the agent (YAML).")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data folder of the agent, instead of --site.")
]
ChargerArgument = Annotated[str, typer.Argument(metavar="CP", help="Charge point id.")]
EvseArgument = Annotated[int, typer.Argument(min=1, help="EVSE (1.6: connector) number.")]
EvseOption = Annotated[
    int | None, typer.Option("--evse", "-e", min=1, help="EVSE (1.6: connector) number.")
]


@app.command("list")
def list_(site: SiteOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every charging station: who it is, what is plugged in, limits and faults."""
    with plain_errors():
        found = Agent(site, data).all("list")
    print_answer(found, words.stations(found), as_json=as_json)


@app.command()
def show(
    charge_point: ChargerArgument,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything known of one station: abilities, settings, events, faults and their meaning."""
    _look(site, data, as_json, words.details, "show", charge_point=charge_point)


# --- settings -------------------------------------------------------------------------------------


@app.command()
def get(
    charge_point: ChargerArgument,
    keys: Annotated[
        list[str] | None, typer.Argument(help="Names; 2.0.1: Component.Variable.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every setting it has.")] = False,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read settings of a charger; without names, those that matter to the agent."""
    _look(
        site, data, as_json, words.settings, "get",
        charge_point=charge_point, keys=keys or [], all=every,
    )  # fmt: skip


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
    _look(
        site, data, as_json, words.schedule, "composite",
        charge_point=charge_point, evse=evse, hours=hours,
    )  # fmt: skip


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


# --- traces and check-in --------------------------------------------------------------------------


@app.command()
def trace(
    charge_point: ChargerArgument,
    last: Annotated[int, typer.Option(min=1, max=500, help="How many frames of the past.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Frames as they went, whole.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write JSON lines here, for `replay`.")] = None,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """The frames of one charger, a line each: <- from it, -> to it.

    The agent keeps the newest 500. Passwords are hidden everywhere; id tags are shortened on the
    screen, but whole with --raw, --json and in a saved file.
    """
    from gridyard.ocpp.traces import Screen, saving

    screen = Screen(raw=raw, as_json=as_json)
    wanted = {"charge_point": charge_point, "last": last, "follow": follow}
    with plain_errors(), suppress(KeyboardInterrupt):
        agent = Agent(site, data)
        if save is None:
            agent.each(screen.tell, "trace", **wanted)
            return
        with saving(save) as file:

            def tell(item: Json) -> None:
                file.tell(item)
                screen.tell(item)

            agent.each(tell, "trace", **wanted)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Saved by `trace --save`.")],
    against: Annotated[
        str | None, typer.Option(help="Address of a central system, such as ws://host:9000.")
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="GRIDYARD_CHARGER_PASSWORD", help="The charger's there.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also show what is as it was.")] = False,
    site: Annotated[
        Path | None, typer.Option("--site", "-s", help="Judge cards by these settings (YAML).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play a recorded charger again and show where we answer differently now.

    By default to a fresh central system in this process, which knows nothing of the past. With
    --against the other side takes it for the real charger: never do that to a running depot. Ids
    and times are not compared, nor limits and commands, which nobody asks for here. Exit code 1
    when something differs.
    """
    from gridyard.ocpp import replay as player

    configure_logs(quiet=True)
    with plain_errors():
        recording = player.read(file)
        access = player.access(site, recording)
        steps = asyncio.run(player.replayed(recording, access, against, password))
    print_answer(player.document(steps), player.lines(steps, every=every), as_json=as_json)
    if any(step.differs for step in steps):
        fail("it is not answered as it was", Exit.FAILED)


@app.command("check-in")
def check_in(
    charge_point: ChargerArgument,
    evse: EvseOption = None,
    reboot: Annotated[
        bool, typer.Option("--reboot", help="Also restart it at once, and see that it comes back.")
    ] = False,
    site: SiteOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go through the checklist for a charger to be put into service, on the charger itself.

    Most of it needs a vehicle that charges. Limits are lowered for about two minutes, never
    raised. Exit code 1 when a step fails.
    """
    found: list[Json] = []

    def tell(item: Json) -> None:
        found.append(item)
        if not as_json:
            typer.echo("\n".join(words.step(item)))

    with plain_errors():
        Agent(site, data).each(
            tell, "check-in", charge_point=charge_point, evse=evse, reboot=reboot
        )
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    if any(item.get("verdict") == "FAIL" for item in found):
        fail("not every step passes", Exit.FAILED)


def _look(
    site: Path | None,
    data: Path | None,
    as_json: bool,
    lines: Callable[[Mapping[str, Any]], Iterator[str]],
    command: str,
    **args: object,
) -> None:
    """Run a command that answers with one document; `lines` words it for people."""
    with plain_errors():
        found = Agent(site, data).one(command, **args)
    print_answer(found, lines(found), as_json=as_json)


def _order(
    site: Path | None, data: Path | None, as_json: bool, command: str, **args: object
) -> None:
    """Run a command that the charger accepts or not; exit code 1 when not."""
    with plain_errors():
        found = Agent(site, data).one(command, **args)
    answer = json.dumps(found["answer"], ensure_ascii=False)
    verdict = "accepted" if found["ok"] else "NOT accepted"
    print_answer(found, [f"{verdict}: {answer}"], as_json=as_json)
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
