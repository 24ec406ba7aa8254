"""`gridyard meter list | deliver | show | versions | missing`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    name="meter",
    help="Revenue meters: deliver their intervals to a gateway, and see what it knows.",
    no_args_is_help=True,
)

Site = Annotated[str, typer.Argument(help="The site's id.")]
Meter = Annotated[str, typer.Argument(help="The meter's name in the gateway's settings.")]
First = Annotated[str, typer.Option("--from", help="First day of the site, such as 2026-10-01.")]
Last = Annotated[str, typer.Option("--to", help="Last day, included.")]


@app.command("list")
def list_(site: Site, gateway: GatewayOption = GATEWAY, as_json: JsonOption = False) -> None:
    """The revenue meters of a site."""
    from gridyard.meter import asking

    with plain_errors():
        found = asking.meters(gateway, site)
    print_answer(found, asking.meter_lines(found), as_json=as_json)


@app.command()
def deliver(
    site: Site,
    meter: Meter,
    file: Annotated[Path, typer.Argument(help="A .csv, .json, or .xml (Green Button) file.")],
    *,
    issued_at: Annotated[
        str, typer.Option(help="When its source made it, with an offset; else the file says it.")
    ] = "",
    zone: ZoneOption = "",
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Deliver intervals; sent again they change nothing. Reports that rest on them follow."""
    from gridyard.meter import asking
    from gridyard.report.progress import shown_progress

    with plain_errors():
        if zone:
            known_zone(zone)
        query = {"zone": zone, "issued_at": issued_at}
        given = {name: value for name, value in query.items() if value}
        with shown_progress() as progress:
            found = asking.delivered(gateway, file, site, meter, given, progress)
    print_answer(found, asking.delivered_lines(found), as_json=as_json)


@app.command()
def show(
    site: Site,
    meter: Meter,
    since: First,
    until: Last,
    known_at: Annotated[str, typer.Option(help="As it was known at this instant; else now.")] = "",
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """The intervals of whole days, with their quality and version."""
    from gridyard.meter import asking

    with plain_errors():
        found, zone = asking.shown(gateway, site, meter, (since, until), known_at or None)
    print_answer(found, asking.interval_lines(found, zone), as_json=as_json)


@app.command()
def versions(
    site: Site,
    meter: Meter,
    start: Annotated[str, typer.Argument(help="Such as 2026-10-25T17:15, on the site's wall.")],
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Everything ever said of one interval, and which of it counts."""
    from gridyard.meter import asking

    with plain_errors():
        found, zone = asking.versions(gateway, site, meter, start)
    print_answer(found, asking.version_lines(found, zone), as_json=as_json)


@app.command()
def missing(
    site: Site,
    meter: Meter,
    since: First,
    until: Last,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Stretches without a value that counts."""
    from gridyard.meter import asking

    with plain_errors():
        found, zone = asking.gaps(gateway, site, meter, (since, until))
    print_answer(found, asking.gap_lines(found, zone), as_json=as_json)
