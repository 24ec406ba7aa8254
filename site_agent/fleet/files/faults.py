"""What is wrong with a file, by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import PermanentError

MOST_TOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """One fault."""

    line: int
    """From 1, the header's; 0: the file as a whole."""
    column: str
    """As the header has it; "": the whole line."""
    detail: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "file"
        return f"{where}{f', {self.column}' if self.column else ''}: {self.detail}"


class FileFaultsError(PermanentError):
    """Nothing of the file was taken."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        shown = [str(one) for one in faults[:MOST_TOLD]]
        if len(faults) > MOST_TOLD:
            shown.append(f"and {len(faults) - MOST_TOLD} more")
        super().__init__("\n".join(shown))
        self.faults = tuple(faults)
