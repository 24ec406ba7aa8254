"""A statement as rows of text: the one thing its page and its PDF show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.domain.settle.account import AccountLine, Change, Input, PeriodStatement
from gateway.domain.settle.line import said
from gateway.reports import words
from gateway.reports.view import SIMULATED, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line of money."""

    what: str
    program: str
    quantity: str
    price: str
    amount: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """A party's part of the whole."""

    who: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """The whole statement as text."""

    title: str
    subject: str
    period: str
    labels: tuple[str, ...]
    simulated: bool
    status: str
    version: int
    made: str
    """Version and time of making."""
    created: str
    facts: tuple[Fact, ...]
    totals: tuple[str, ...]
    note: str
    lines: tuple[LineRow, ...]
    parts: tuple[PartLine, ...]
    waits_for: tuple[str, ...]
    changes: tuple[Change, ...]
    inputs: tuple[Input, ...]

    @property
    def line_rows(self) -> list[tuple[str, ...]]:
        """Cells of the table of lines."""
        return [
            (one.what, one.program, one.quantity, one.price, one.amount, one.why)
            for one in self.lines
        ]

    @property
    def part_rows(self) -> list[tuple[str, ...]]:
        """Cells of the table of parts."""
        return [(one.who, one.amount) for one in self.parts]

    @property
    def change_rows(self) -> list[tuple[str, ...]]:
        """Cells of the table of changes."""
        return [(one.what, one.before, one.after, "; ".join(one.because)) for one in self.changes]

    @property
    def input_rows(self) -> list[tuple[str, ...]]:
        """Cells of the table of inputs."""
        return [(one.name, one.value) for one in self.inputs]


def statement_view(statement: PeriodStatement, zone: ZoneInfo | None = None) -> StatementView:
    """Turn the statement into what people read."""
    tz = zone or ZoneInfo(statement.time_zone)
    status = "FINAL" if statement.final else "PRELIMINARY"
    made = ", ".join(statement.made_of) or f"version {statement.version}"
    return StatementView(
        title=f"Statement {statement.period}: {statement.name}",
        subject=statement.name,
        period=statement.period,
        labels=(SIMULATED, status) if statement.simulated else (status,),
        simulated=statement.simulated,
        status=status,
        version=statement.version,
        made=made,
        created=words.moment(statement.created_at, tz),
        facts=(
            Fact(label="For", value=f"{statement.name} ({statement.subject})"),
            Fact(label="Period", value=f"{statement.first} to {statement.last}, both included"),
            Fact(label="Calendar", value=statement.time_zone),
            Fact(label="Made of", value=made),
        ),
        totals=_sums(statement.totals),
        note=_note(statement),
        lines=tuple(_row(one) for one in statement.lines),
        parts=tuple(
            PartLine(who=statement.names.get(who, who) or "Aggregator", amount=", ".join(sums))
            for who, found in statement.part_totals().items()
            if (sums := _sums(found))
        ),
        waits_for=statement.waits_for,
        changes=statement.changes,
        inputs=statement.inputs,
    )


def _sums(found: Mapping[str, Decimal]) -> tuple[str, ...]:
    return tuple(words.money(amount, currency) for currency, amount in sorted(found.items()))


def _note(statement: PeriodStatement) -> str:
    lines = [one.line for one in statement.lines]
    if not lines:
        return "Nothing is to be settled."
    missing = sum(line.amount is None for line in lines)
    said_of = [f"{missing} of {len(lines)} lines have no amount and are no part of the sum."]
    example = "Example rates: no tariff in force was read."
    return " ".join(said_of * bool(missing) + [example] * any(line.example for line in lines))


def _row(one: AccountLine) -> LineRow:
    line = one.line
    unit = f"{line.currency}/{line.unit}" + ", example rate" * line.example
    return LineRow(
        what=f"{line.kind.value}, {line.subject}",
        program=one.program,
        quantity=f"{said(line.quantity)} {line.unit}".strip(),
        price=words.NA if line.price is None else f"{said(line.price)} {unit}",
        amount=words.NA if line.amount is None else words.money(line.amount, line.currency),
        why=line.words,
    )
