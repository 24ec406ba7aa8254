"""What a command found, on stdout: lines for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


def print_answer(document: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the document as JSON, or else the lines."""
    typer.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))
