"""Two agents that both say they are one site: their databases take turns.

A site's database file has an epoch of its own. A new file is a new epoch, once; a message may still
be under way from the old one. Epochs that go on taking turns are two agents alive at once: a copied
machine, or stolen credentials.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

TURNS = 5
"""So many changes of the epoch within `WITHIN` are no replacement of a file."""
WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Epochs:
    """What a site's epochs have done lately."""

    newest: str
    turns: tuple[datetime, ...] = ()
    """When the epoch changed, within `WITHIN`, the last `TURNS` at most."""
    alarm: bool = False
    """Two agents are alive."""


def heard(known: Epochs | None, epoch: str, now: datetime) -> Epochs:
    """What is known after a message of this epoch.

    An alarm ends when the epoch has not changed for `WITHIN`.
    """
    if known is None:
        return Epochs(newest=epoch)
    turns = tuple(at for at in known.turns if now - at < WITHIN)
    if epoch != known.newest:
        turns = (*turns, now)[-TURNS:]
    alarm = len(turns) >= TURNS or (known.alarm and bool(turns))
    return Epochs(newest=epoch, turns=turns, alarm=alarm)
