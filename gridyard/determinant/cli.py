"""`gridyard determinant list | tell | load`: peaks, ratios, prices and factors told afterwards."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gridyard.at_gateway.options import GATEWAY, GatewayOption
from gridyard.printing import JsonOption, print_answer
from gridyard.runner import plain_errors

app = typer.Typer(
    help="Figures from outside that statements are made from: peaks, ratios, prices, factors.",
    no_args_is_help=True,
)

Program = Annotated[str, typer.Argument(help="The program's id in the gateway's settings.")]
By = Annotated[str, typer.Option("--by", help="Who tells it, for the record.")]
_SOMEBODY = "a person at the command line"


class What(StrEnum):
    """Kinds of figures; as the gateway's API names them."""

    PEAK = "peak"
    SYSTEM_RATIO = "system_ratio"
    MARKET_PRICE = "market_price"
    INDEX = "index"
    BID = "bid"
    STRIKE = "strike"
    SHORTFALL_PRICE = "shortfall_price"
    FACTOR = "factor"


@app.command("list")
def list_(program: Program, gateway: GatewayOption = GATEWAY, as_json: JsonOption = False) -> None:
    """All that was ever told about a program, newest first; what holds is marked."""
    from gridyard.determinant import asking

    with plain_errors():
        found = asking.every(gateway, program)
    print_answer(found, asking.lines(found), as_json=as_json)


@app.command()
def tell(
    program: Program,
    what: Annotated[What, typer.Argument(help="What is told.")],
    subject: Annotated[
        str,
        typer.Argument(help="A month 2026-07, an event UTILITY/EVENT, a season 2025-summer, or *."),
    ],
    value: Annotated[
        str, typer.Argument(help="A number; of a peak when it began: 2026-07-20T16:45-05:00.")
    ],
    *,
    source: Annotated[str, typer.Option(help="Where it stands: a notice, a page, a letter.")],
    currency: Annotated[str, typer.Option(help="Of a price (ISO 4217).")] = "",
    by: By = _SOMEBODY,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Tell one figure. A later one on the same subject holds; nothing is ever changed.

    Prices are a kWh, the index a million Btu. Statements that hang on it are made again.
    """
    from gridyard.determinant import asking

    with plain_errors():
        told = asking.Told(
            what=what.value, subject=subject, value=value, currency=currency, source=source
        )
        kept = asking.tell(gateway, program, by, [told])
    print_answer(kept, asking.lines(kept), as_json=as_json)


@app.command()
def load(
    program: Program,
    file: Annotated[
        Path, typer.Argument(help="CSV with columns what,subject,value,currency,source.")
    ],
    by: By = _SOMEBODY,
    gateway: GatewayOption = GATEWAY,
    as_json: JsonOption = False,
) -> None:
    """Tell all figures of a file, or none where one makes no sense; again adds nothing."""
    from gridyard.determinant import asking

    with plain_errors():
        kept = asking.tell(gateway, program, by, asking.of_file(file))
    print_answer(kept, asking.lines(kept), as_json=as_json)
