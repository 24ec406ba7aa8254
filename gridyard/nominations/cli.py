"""`gridyard nominations list | propose | show | accept | refuse | withdraw`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from gridyard.at_gateway.options import (
    GATEWAY,
    GatewayOption,
    KeyOption,
    ZoneOption,
    known_zone,
)
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="What is promised to programs: proposed from what sites offer, decided before the gate.",
    no_args_is_help=True,
)

Nomination = Annotated[str, typer.Argument(help="Its id, as `list` shows it.")]
By = Annotated[str, typer.Option(help="Who decides, for the record.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]
_SOMEBODY = "a person at the command line"


@app.command("list")
def list_(
    program: Annotated[str, typer.Option(help="One program alone, by its id.")] = "",
    since: Annotated[
        str | None, typer.Option(help="Periods that end after it, in --zone; else 62 days ago.")
    ] = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Every revision for every period, newest period first."""
    from gridyard.nominations import asking, words

    with plain_errors():
        wall = known_zone(zone)
        found = asking.every(gateway, program, since, wall)
        print_answer(found, words.list_lines(found, wall), as_json=as_json)


@app.command()
def propose(
    program: Annotated[str, typer.Option(help="The program's id in the gateway's settings.")],
    *,
    first: Annotated[
        str | None,
        typer.Option("--from", help="A day of the period, or the first of a contract: 2026-07-01."),
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day of a contract.")] = None,
    by: By = _SOMEBODY,
    reason: Reason = "",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Propose what to promise; without a date for the next period whose gate is open."""
    from gridyard.nominations import asking, words

    with plain_errors():
        wall = known_zone(zone)
        body = {"program_id": program, "first": first, "last": last, "by": by, "reason": reason}
        found = asking.proposed(gateway, body, key)
        print_answer(found, words.lines(found, wall), as_json=as_json)


@app.command()
def show(
    nomination: Nomination,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """One nomination: how each quantity came about, and what became of it."""
    from gridyard.nominations import asking, words

    with plain_errors():
        wall = known_zone(zone)
        found = asking.one(gateway, nomination)
        print_answer(found, words.lines(found, wall), as_json=as_json)


@app.command()
def accept(
    nomination: Nomination,
    by: By = _SOMEBODY,
    reason: Reason = "",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Promise what is proposed; an older revision for the same period gives way."""
    body = {"decision": "accept", "by": by, "reason": reason}
    _decided(nomination, body, key, gateway, zone, as_json=as_json)


@app.command()
def refuse(
    nomination: Nomination,
    by: By = _SOMEBODY,
    reason: Reason = "",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Do not promise what is proposed."""
    body = {"decision": "refuse", "by": by, "reason": reason}
    _decided(nomination, body, key, gateway, zone, as_json=as_json)


@app.command()
def withdraw(
    nomination: Nomination,
    by: By = _SOMEBODY,
    reason: Reason = "",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    zone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Take back what was accepted, before the gate; the enrolments' figures stand again."""
    body = {"decision": "withdraw", "by": by, "reason": reason}
    _decided(nomination, body, key, gateway, zone, as_json=as_json)


def _decided(
    nomination: str,
    body: Mapping[str, object],
    key: str | None,
    gateway: str,
    zone: str,
    *,
    as_json: bool,
) -> None:
    from gridyard.nominations import asking, words

    with plain_errors():
        wall = known_zone(zone)
        found = asking.decided(gateway, nomination, body, key)
        print_answer(found, words.lines(found, wall), as_json=as_json)
