"""The lines of a study for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gridyard.study.sessions import WAYS, Line, closed


def line_words(line: Line) -> str:
    """One line for people."""
    return f"{line.cap_a:g} A, {line.way}: energy {line.energy_share:.3f}, met {line.met_share:.3f}"


def table(lines: Sequence[Line], days: int) -> list[str]:
    """All of them for people."""
    caps = list(dict.fromkeys(line.cap_a for line in lines))
    by = {(line.way, line.cap_a): line for line in lines}
    head = "".join(f"{f'{cap:g} A':>16}" for cap in caps)
    rows = [f"{days} days; energy / met", f"{'':26}{head}"]
    for way in WAYS:
        cells = (f"{by[way, cap].energy_share:.3f} / {by[way, cap].met_share:.3f}" for cap in caps)
        rows.append(f"{way:26}" + "".join(f"{cell:>16}" for cell in cells))
    shares = (closed(lines, cap) for cap in caps)
    words = ("-" if share is None else f"{share:.0%}" for share in shares)
    rows.append(f"{'a roster closes':26}" + "".join(f"{word:>16}" for word in words))
    return rows


def document(lines: Sequence[Line], days: int) -> dict[str, object]:
    """All of them for machines."""
    caps = list(dict.fromkeys(line.cap_a for line in lines))
    return {
        "days": days,
        "lines": [asdict(line) for line in lines],
        "closed_by_roster": {f"{cap:g}": closed(lines, cap) for cap in caps},
    }
