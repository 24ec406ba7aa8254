"""Settings on their way to sites: in which state each is, and when the next wave may go.

A push goes to some sites first. The rest waits until every one of those runs well with it, and is
never sent once one of them would not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """How far a configuration is."""

    HELD = "held"
    """Its wave has not begun."""
    WAITING = "waiting"
    """To be sent; the site may be offline."""
    STAGED = "staged"
    """The site has it and waits for its time."""
    TRIAL = "trial"
    """The site runs with it and watches itself."""
    APPLIED = "applied"
    REFUSED = "refused"
    """The site would not have it; nothing has changed there."""
    ROLLED_BACK = "rolled_back"
    """The site has tried it, and has gone back to what it had before."""
    SUPERSEDED = "superseded"
    """A later one took its place before it was tried."""
    STOPPED = "stopped"
    """Never sent, because it failed at a site that was to have it first."""


OPEN = frozenset({Stage.HELD, Stage.WAITING, Stage.STAGED, Stage.TRIAL})
"""Those that go on."""
UNTRIED = frozenset({Stage.HELD, Stage.WAITING, Stage.STAGED})
FAILED = frozenset({Stage.REFUSED, Stage.ROLLED_BACK, Stage.SUPERSEDED, Stage.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One configuration for one site."""

    site_id: str
    revision: int
    """Counts a site's configurations, from 1."""
    rollout: str
    """What was pushed together."""
    wave: int
    """0: first."""
    text: str
    pushed_at: datetime
    by: str
    """Who pushed it, as they said."""
    cause: str
    at: datetime | None = None
    """When the site tries it; None: at a quiet moment."""
    stage: Stage = Stage.HELD
    reason: str = ""
    changed_at: datetime | None = None
    """Since when it has been in this state."""

    @property
    def configuration_id(self) -> str:
        """Its name on the link and for people."""
        return f"{self.site_id}-{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWord:
    """What a site last said of its settings, in the words of the site link."""

    running: str
    trial: bool
    staged: str
    last: str
    outcome: str
    reason: str


def waves(sites: Sequence[str], first: int | None) -> Mapping[str, int]:
    """Which site is in which wave: the `first` ones in 0, the rest in 1; None: all at once."""
    return {site: int(first is not None and k >= first) for k, site in enumerate(sites)}


def moved(pushed: Pushed, stage: Stage, now: datetime, reason: str = "") -> Pushed:
    """The same in this state; unchanged when it is in it already."""
    if (pushed.stage, pushed.reason) == (stage, reason):
        return pushed
    return replace(pushed, stage=stage, reason=reason, changed_at=now)


def heard(pushed: Pushed, word: SiteWord, now: datetime, *, greeting: bool) -> Pushed:
    """After what its site said.

    A site that does not know what it was sent has lost it, and gets it again; but only by the word
    with which it greets: what comes with its rows may have been on its way before.
    """
    name = pushed.configuration_id
    if pushed.stage not in OPEN or pushed.stage is Stage.HELD:
        return pushed
    if word.last == name and word.outcome in (Stage.APPLIED, Stage.ROLLED_BACK):
        return moved(pushed, Stage(word.outcome), now, word.reason)
    if word.running == name:
        return moved(pushed, Stage.TRIAL if word.trial else Stage.APPLIED, now)
    if word.staged == name:
        return moved(pushed, Stage.STAGED, now)
    return moved(pushed, Stage.WAITING, now) if greeting else pushed


def released(rollout: Sequence[Pushed], now: datetime) -> tuple[Pushed, ...]:
    """Those of one rollout whose state follows from that of the others, in their new state."""
    failed = next((one for one in rollout if one.stage in FAILED), None)
    if failed is not None:
        why = f"{failed.configuration_id} is {failed.stage.value}"
        unsent = (one for one in rollout if one.stage in (Stage.HELD, Stage.WAITING))
        return tuple(moved(one, Stage.STOPPED, now, why) for one in unsent)
    if all(one.stage is Stage.APPLIED for one in rollout if one.wave == 0):
        held = (one for one in rollout if one.stage is Stage.HELD)
        return tuple(moved(one, Stage.WAITING, now) for one in held)
    return ()


def before(history: Sequence[Pushed]) -> str:
    """The text to go back to, given a site's configurations in order; empty: its own file alone.

    While the newest has not been tried: what is in force now. Else: what was in force before it.
    """
    good = [one.text for one in history if one.stage is Stage.APPLIED]
    if history and history[-1].stage in OPEN:
        return good[-1] if good else ""
    return good[-2] if len(good) > 1 else ""
