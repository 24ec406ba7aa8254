"""`gridyard event create | change | cancel | accept | refuse`."""

from __future__ import annotations

from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption, KeyOption, known_zone
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    name="event",
    help="Events that do not come by a protocol: enter, change and cancel them at a gateway.",
    no_args_is_help=True,
)

Event = Annotated[str, typer.Argument(help="UTILITY/EVENT, as `create` and the pages show it.")]
Reason = Annotated[str, typer.Option(help="Why, for the journal.")]
ReduceKw = Annotated[float | None, typer.Option(min=0, help="Less load, kW.")]
SetpointKw = Annotated[float | None, typer.Option(min=0, help="Load together, kW.")]
LimitKw = Annotated[float | None, typer.Option(min=0, help="Most import, kW.")]
ExportLimitKw = Annotated[float | None, typer.Option(min=0, help="Most export together, kW.")]
GenerationLimitKw = Annotated[
    float | None, typer.Option(min=0, help="Most that inverters make together, kW.")
]
Level = Annotated[
    int | None, typer.Option(min=0, max=3, help="Level 1-3; 0 asks for readiness only.")
]
Targets = Annotated[
    list[str] | None, typer.Option(help="A site, group or network; may be repeated.")
]
Zone = Annotated[str, typer.Option(help="Zone of times without an offset.")]


@app.command()
def create(
    program: Annotated[str, typer.Option(help="The program's id in the gateway's settings.")],
    start: Annotated[str, typer.Option(help="Such as 2026-07-01T16:00, in --zone.")],
    *,
    end: Annotated[str | None, typer.Option(help="When it ends; else until cancelled.")] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="How long, instead of --end.")] = None,
    reduce_kw: ReduceKw = None,
    setpoint_kw: SetpointKw = None,
    limit_kw: LimitKw = None,
    export_limit_kw: ExportLimitKw = None,
    generation_limit_kw: GenerationLimitKw = None,
    level: Level = None,
    target: Targets = None,
    device_class: Annotated[
        list[str] | None,
        typer.Option(help="evse or storage alone is asked; may be repeated. Else: the program's."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="It is a test event.")] = False,
    event_id: Annotated[str | None, typer.Option("--id", help="The utility's name for it.")] = None,
    comment: Annotated[str, typer.Option(help="For the journal: who told it, and how.")] = "",
    zone: Zone = "UTC",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Enter an event that came by telephone, e-mail, message or portal."""
    from gridyard.event import asking

    with plain_errors():
        chosen = _chosen(
            reduce_kw, setpoint_kw, limit_kw, export_limit_kw, generation_limit_kw, level
        )
        kind, value = asking.request(chosen, asking.SIGNALS)
        wall = known_zone(zone)
        begins = asking.instant(start, wall)
        ends = asking.end_of(begins, end, hours, wall)
        body = {
            "program_id": program,
            "event_id": event_id,
            "start": begins.isoformat(),
            "end": None if ends is None else ends.isoformat(),
            "kind": kind,
            "value": value,
            "targets": target or [],
            "device_classes": device_class or [],
            "test": test,
            "source": "manual",
            "comment": comment,
        }
        answer = asking.created(gateway, body, key)
    print_answer(answer, asking.lines(answer), as_json=as_json)


@app.command()
def change(
    event: Event,
    *,
    start: Annotated[str | None, typer.Option(help="Another start, in --zone.")] = None,
    end: Annotated[str | None, typer.Option(help="Another end, in --zone.")] = None,
    endless: Annotated[bool, typer.Option("--endless", help="Until it is cancelled.")] = False,
    reduce_kw: ReduceKw = None,
    setpoint_kw: SetpointKw = None,
    limit_kw: LimitKw = None,
    export_limit_kw: ExportLimitKw = None,
    generation_limit_kw: GenerationLimitKw = None,
    level: Level = None,
    target: Targets = None,
    comment: Annotated[str | None, typer.Option(help="Another comment.")] = None,
    reason: Reason = "",
    revision: Annotated[
        int | None,
        typer.Option(min=0, help="Only if it is still at this modification; else as it is now."),
    ] = None,
    zone: Zone = "UTC",
    key: KeyOption = None,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Change an event that was entered at the gateway, also while it runs."""
    from gridyard.event import asking

    with plain_errors():
        chosen = _chosen(
            reduce_kw, setpoint_kw, limit_kw, export_limit_kw, generation_limit_kw, level
        )
        times = asking.new_times(start, end, endless=endless, zone=known_zone(zone))
        body: dict[str, object] = {**times, "revision": revision, "reason": reason}
        if any(value is not None for value in chosen.values()):
            body["kind"], body["value"] = asking.request(chosen, asking.SIGNALS)
        if target is not None:
            body["targets"] = target
        if comment is not None:
            body["comment"] = comment
        answer = asking.modified(gateway, event, body, key)
    print_answer(answer, asking.lines(answer), as_json=as_json)


@app.command()
def cancel(
    event: Event, reason: Reason = "", gateway: GatewayOption = GATEWAY, as_json: JsonOption = False
) -> None:
    """Cancel an event that was entered at the gateway."""
    _changed(event, "cancellations", {"reason": reason}, gateway, as_json=as_json)


@app.command()
def accept(
    event: Event, reason: Reason = "", gateway: GatewayOption = GATEWAY, as_json: JsonOption = False
) -> None:
    """Take part in an event that rules or a policy have kept us out of."""
    _changed(event, "decisions", {"opt": "optIn", "reason": reason}, gateway, as_json=as_json)


@app.command()
def refuse(
    event: Event, reason: Reason = "", gateway: GatewayOption = GATEWAY, as_json: JsonOption = False
) -> None:
    """Take no part in an event."""
    _changed(event, "decisions", {"opt": "optOut", "reason": reason}, gateway, as_json=as_json)


def _changed(
    event: str, what: str, body: dict[str, object], gateway: str, *, as_json: bool
) -> None:
    from gridyard.event import asking

    with plain_errors():
        answer = asking.changed(gateway, event, what, body)
    print_answer(answer, asking.lines(answer), as_json=as_json)


def _chosen(*values: float | None) -> dict[str, float | None]:
    """What is asked, by the name of its option; in the order of `asking.SIGNALS`."""
    from gridyard.event import asking

    return dict(zip(asking.SIGNALS, values, strict=True))
