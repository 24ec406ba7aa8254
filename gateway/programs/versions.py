"""What the versions of programs in the settings say together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from gateway.programs.entry import EnrolmentEntry, ProgramEntry


def in_force_last(programs: Iterable[ProgramEntry]) -> Sequence[ProgramEntry]:
    """Of each program the version that begins last."""
    ordered = sorted(programs, key=lambda one: one.valid_from or date.min)
    return list({one.program_id: one for one in ordered}.values())


def enrolled_once(programs: Sequence[ProgramEntry]) -> None:
    """Whichever version of a program names a site, it is enrolled once on any day.

    Raises:
        ValueError: it is not.
    """
    seen: list[tuple[str, EnrolmentEntry]] = []
    for program in programs:
        for entry in program.enrolments:
            if any(name == program.program_id and entry.overlaps(one) for name, one in seen):
                raise ValueError(
                    f"enrolments of {program.program_id!r}: site_id must be unique on any day; "
                    f"doubled: {entry.site_id}"
                )
            seen.append((program.program_id, entry))


def price_sources(programs: Iterable[ProgramEntry]) -> Mapping[str, str]:
    """By program, the source of prices it is settled on; the newest version's counts."""
    return {one.program_id: one.price_source for one in in_force_last(programs) if one.price_source}


def check_price_source(program: ProgramEntry, sources: Collection[str]) -> None:
    """Whether the source a program is settled on is there.

    Raises:
        ValueError: it is not.
    """
    if program.price_source and program.price_source not in sources:
        raise ValueError(
            f"program {program.program_id!r}: there is no price source "
            f"{program.price_source!r}: name one of prices.sources"
        )
