"""`gridyard program list | show | explain | check | counters | eligible`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridyard.printing import JsonOption, print_answer
from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    name="program",
    help="Programs of utilities as data: templates, rules, counters of use, who may join.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="A template's name, or a program file (.yaml).")]
GatewayFile = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
]
Chosen = Annotated[
    str | None, typer.Option("--program", help="One program of the settings, by its id or name.")
]


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """The templates that come with Gridyard."""
    from gridyard.program import telling

    with plain_errors():
        answer = telling.listed()
    print_answer(answer, telling.listed_lines(answer), as_json=as_json)


@app.command()
def show(name: Name, as_json: JsonOption = False) -> None:
    """A template or program file as data, with everything that it leaves out filled in."""
    from gridyard.program import telling

    with plain_errors():
        answer = telling.shown(name)
    print_answer(answer, telling.shown_lines(answer), as_json=as_json)


@app.command()
def explain(
    name: Name,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="NAME is a program of these gateway settings."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Every rule in plain words, each with where it comes from."""
    from gridyard.program import telling

    with plain_errors():
        answer = telling.explained(name, config)
    print_answer(answer, telling.explained_lines(answer), as_json=as_json)


@app.command()
def check(
    name: Name,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when there is something to check.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Whether a program file can be used, and what to look up in the tariff before."""
    from gridyard.program import telling

    with plain_errors():
        answer = telling.checked(name)
    print_answer(answer, telling.checked_lines(answer), as_json=as_json)
    if strict and answer["warnings"]:
        fail("there is something to check", Exit.FAILED)


@app.command()
def counters(
    config: GatewayFile,
    program: Chosen = None,
    as_json: JsonOption = False,
) -> None:
    """How much of each limit is used now, from the database of a running or stopped gateway."""
    from contracts.clock import SystemClock
    from gridyard.program import asking, telling

    with plain_errors():
        answer = asking.counted(config, program, SystemClock().now())
    print_answer(answer, telling.counted_lines(answer), as_json=as_json)


@app.command()
def eligible(
    config: GatewayFile,
    program: Chosen = None,
    site: Annotated[str | None, typer.Option(help="One site; all that are enrolled else.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Whether the sites of the settings may be enrolled as they are, condition by condition.

    Exits with 1 when a condition is not met; what is not known is said, and does not count.
    """
    from contracts.clock import SystemClock
    from gridyard.program import asking, telling

    with plain_errors():
        answer = asking.eligible(config, program, site, SystemClock().now())
    print_answer(answer, telling.eligible_lines(answer), as_json=as_json)
    if any(one["answer"] == "no" for entry in answer for one in entry["conditions"]):
        fail("a condition is not met", Exit.FAILED)
