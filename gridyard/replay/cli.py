"""`gridyard replay event | day`."""

from __future__ import annotations

from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, ZoneOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    name="replay",
    help="A past event or day again by another baseline, program, device set or price.",
    no_args_is_help=True,
)

Baseline = Annotated[str, typer.Option(help="Another method by its name, such as 5-in-10-type.")]
ByProgram = Annotated[str, typer.Option("--program", help="By all rules of this program.")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="These sites or groups alone.")]
Classes = Annotated[
    list[str] | None, typer.Option(help="Counted on evse, storage or pv alone; may be repeated.")
]
Price = Annotated[str, typer.Option(help="Of each kWh that is paid, such as '0.25 EUR'.")]


@app.command()
def event(
    event: Annotated[str, typer.Argument(help="UTILITY/EVENT, as the pages show it.")],
    *,
    baseline: Baseline = "",
    program: ByProgram = "",
    site: Sites = None,
    device_class: Classes = None,
    energy_price: Price = "",
    loads: Annotated[
        str, typer.Option(help="On these loads instead: site_agent or revenue_meter.")
    ] = "",
    known_at: Annotated[
        str, typer.Option(help="With meter data as known at this instant, with its offset.")
    ] = "",
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """A past event again; nothing is stored, what is settled stays as it is."""
    from gridyard.replay import asking

    with plain_errors():
        new = asking.otherwise(
            baseline=baseline,
            program=program,
            sites=site or [],
            device_classes=device_class or [],
            energy_price=energy_price,
            loads=loads,
            known_at=known_at,
        )
        found = asking.replayed(gateway, event, new)
        print_answer(found, list(asking.lines(found)), as_json=as_json)


@app.command()
def day(
    measured_by: Annotated[str, typer.Argument(help="The program whose rules measure.")],
    start: Annotated[str, typer.Option(help="Such as 2026-07-01T16:00, in --zone.")],
    *,
    hours: Annotated[float, typer.Option(min=0.25, max=24, help="How long.")] = 4.0,
    baseline: Baseline = "",
    program: ByProgram = "",
    site: Sites = None,
    device_class: Classes = None,
    energy_price: Price = "",
    zone: ZoneOption = "UTC",
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Hours without an event, as if one had asked for nothing: how far a baseline is off."""
    from gridyard.event.asking import end_of, instant
    from gridyard.replay import asking

    with plain_errors():
        wall = known_zone(zone)
        begins = instant(start, wall)
        ends = end_of(begins, None, hours, wall)
        new = asking.otherwise(
            baseline=baseline,
            program=program,
            sites=site or [],
            device_classes=device_class or [],
            energy_price=energy_price,
        )
        body = {
            **new,
            "measured_by": measured_by,
            "start": begins.isoformat(),
            "end": ends.isoformat() if ends else None,
        }
        found = asking.replayed_day(gateway, body)
        print_answer(found, list(asking.lines(found)), as_json=as_json)
