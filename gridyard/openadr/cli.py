"""`gridyard openadr ...`: enrol with a utility's OpenADR VTN, and look into what it sends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from gridyard.runner import Exit, fail, plain_errors

app = typer.Typer(
    help="Enrol with a utility's OpenADR VTN, and look into what it sends.", no_args_is_help=True
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="Settings file of the gateway (YAML).")
]
UtilityOption = Annotated[
    str | None, typer.Option("--utility", "-u", help="Which utility, when there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


@app.command()
def fingerprint(
    certificate: Annotated[Path, typer.Argument(help="Certificate (PEM).")],
    as_json: JsonOption = False,
) -> None:
    """Fingerprint of a certificate, as a utility wants it for enrolment.

    The last 10 bytes of its SHA-256 (OpenADR 2.0b, security).
    """
    from contracts.identity import certificate_der, openadr_fingerprint

    with plain_errors():
        name = openadr_fingerprint(certificate_der(certificate))
    typer.echo(json.dumps({"fingerprint": name}) if as_json else name)


@app.command()
def check(
    config: ConfigOption,
    utility: UtilityOption = None,
    register: Annotated[
        bool,
        typer.Option("--register", help="Also register, poll once and cancel again."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Connect as the gateway would and say, step by step, what works and what to do.

    Nothing is changed at the VTN, and nothing is taken from its queue. With --register something
    is: stop the gateway first. Exit code 1 when a step fails.
    """
    from contracts.clock import SystemClock
    from gridyard.findings import Finding, show
    from gridyard.openadr.check import check as steps
    from gridyard.openadr.session import chosen

    with plain_errors():
        settings = chosen(config, utility)

        async def found() -> list[Finding]:
            return [one async for one in steps(settings, SystemClock(), register=register)]

        ready = show(asyncio.run(found()), as_json=as_json)
    if not ready:
        fail("the connection is not ready", Exit.FAILED)
