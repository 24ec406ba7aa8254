"""One line of a check: what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a step went."""

    OK = "ok"
    WARN = "warn"
    """Works, or could not be tried; a person should look."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step for one device."""

    device: str
    step: str
    verdict: Verdict
    detail: str
    hint: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Judge:
    """Writes the lines of one device."""

    device: str

    def ok(self, step: str, detail: str) -> Line:
        """It is as it should be."""
        return self._line(step, Verdict.OK, detail, "")

    def warn(self, step: str, detail: str, hint: str) -> Line:
        """A person should look."""
        return self._line(step, Verdict.WARN, detail, hint)

    def fail(self, step: str, detail: str, hint: str) -> Line:
        """It must not go into service like this."""
        return self._line(step, Verdict.FAIL, detail, hint)

    def _line(self, step: str, verdict: Verdict, detail: str, hint: str) -> Line:
        return Line(device=self.device, step=step, verdict=verdict, detail=detail, hint=hint)
