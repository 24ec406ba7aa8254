"""Procedures to test a VEN with, by the row of the test table they provoke and judge.

They lie in `vtn_sim/scenarios/openadr`: R registration, E events, O opts, P reports, S security and
transport. Each is a script that is played with a running VTN, over REST or from its settings; the
VEN to be tested is whichever is registered, or the one that is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.config import Settings, loads
from contracts.errors import PermanentError
from vtn_sim.openadr.script import Script, replaced

_FOLDER = "scenarios/openadr"
ProcedureId = Annotated[str, Field(pattern=r"^[REOPS][0-9]{1,2}[A-Z]?$")]


class Procedure(Script):
    """One procedure."""

    id: ProcedureId
    """The row of the table, and a letter where a row needs several."""
    title: str
    also: tuple[str, ...] = ()
    """Other rows that it covers."""
    needs: tuple[Literal["push", "signatures", "hands"], ...] = ()
    """What the VEN must be set up for; `hands`: somebody must make it say something."""
    literal_ids: bool = False
    """Its ids are sent as they are written; else they are made new for every run."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Every row that it covers."""
        return (self.id.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), *self.also)

    def script(self, token: str) -> Script:
        """What is to be played, its ids ending in `token`."""
        content = self.model_dump(mode="json", exclude_unset=True, include=set(Script.model_fields))
        names = {} if self.literal_ids else {name: f"{name}-{token}" for name in self._names()}
        return Script.model_validate(replaced(content, names))

    def _names(self) -> set[str]:
        names: set[str] = set()
        for step in self.steps:
            do: Any = step.do
            if do.action == "announce" and do.event_id is not None:
                names.add(do.event_id)
            if do.action == "ask-reports":
                names |= {ask.name for ask in do.requests if ask.name is not None}
        return names


class _File(Settings):
    about: str
    procedures: tuple[Procedure, ...]


class UnknownProcedureError(PermanentError):
    """No procedure has this id."""


@cache
def procedures() -> Mapping[str, Procedure]:
    """Every procedure by its id."""
    found: dict[str, Procedure] = {}
    folder = files("vtn_sim").joinpath(_FOLDER)
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            content = loads(file.read_text(encoding="utf-8"), _File, name=file.name)
            found |= {procedure.id: procedure for procedure in content.procedures}
    return found


def procedure(name: str) -> Procedure:
    """One procedure.

    Raises:
        UnknownProcedureError: there is none of this id.
    """
    if name not in procedures():
        raise UnknownProcedureError(f"no procedure {name!r}")
    return procedures()[name]
