"""What the network operator asks of the site by contacts or registers, also once it is not heard.

The order of an input holds while the input is heard, then for `keep_s` more, then its declared
fail-safe takes its place. Orders only ever tighten: they are limits among all others
(`domain.limits`), and nobody can loosen one but the input itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from site_agent.domain.instruction import Bounds

FREE = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an input asks for; `words` say it as people at the input would."""

    bounds: Bounds
    words: str
    as_written: tuple[int, ...] = ()
    """The registers that said so, if any: a restart must not turn percentages into watts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One input of whoever may limit the site."""

    input_id: str
    by: str
    """Who speaks through it, such as `network operator`."""
    valid_for_s: float
    """So long after it was last heard an input counts as heard."""
    keep_s: float
    """So long after it is lost its last order still holds."""
    fail_safe: Bounds
    """Holds after that, and from the start until it is first heard."""


class Voice(StrEnum):
    """Where an order comes from."""

    HEARD = "heard"
    KEPT = "kept"
    """The input is lost; its last order still holds."""
    FAIL_SAFE = "fail-safe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds for one input at an instant."""

    spec: InputSpec
    voice: Voice
    order: Order

    @property
    def binds(self) -> bool:
        """Whether it limits anything."""
        return self.order.bounds.bind


def standing(spec: InputSpec, last: Order | None, age_s: float) -> Standing:
    """What holds for an input that was last heard `age_s` ago with this order (None: never)."""
    if last is None:
        fail_safe = Order(bounds=spec.fail_safe, words="not heard yet: its fail-safe")
        return Standing(spec=spec, voice=Voice.FAIL_SAFE, order=fail_safe)
    if age_s <= spec.valid_for_s:
        return Standing(spec=spec, voice=Voice.HEARD, order=last)
    if age_s <= spec.valid_for_s + spec.keep_s:
        kept = Order(bounds=last.bounds, words=f"{last.words}; no longer heard, still kept")
        return Standing(spec=spec, voice=Voice.KEPT, order=kept)
    fail_safe = Order(bounds=spec.fail_safe, words="no longer heard: its fail-safe")
    return Standing(spec=spec, voice=Voice.FAIL_SAFE, order=fail_safe)


def remaining_s(spec: InputSpec, last: Order | None, age_s: float) -> float | None:
    """How long until `standing` changes by itself; None: never."""
    ends = (spec.valid_for_s, spec.valid_for_s + spec.keep_s)
    ahead = [end - age_s for end in ends if end >= age_s]
    return ahead[0] if last is not None and ahead else None


# --- contacts ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact (relay) of a receiver; while it is in its active state its bounds hold."""

    name: str
    active_closed: bool = True
    """False: active while open, so that a broken wire limits."""
    bounds: Bounds


def order_of(contacts: Sequence[Contact], closed: Sequence[bool]) -> Order | None:
    """The order that contacts in these states give; None when none of them is active.

    Several at once (stages that overlap as they switch): the tightest counts.
    """
    active = [
        contact
        for contact, is_closed in zip(contacts, closed, strict=True)
        if contact.active_closed == is_closed
    ]
    if not active:
        return None
    words = " and ".join(contact.name for contact in active)
    return Order(bounds=tightest(contact.bounds for contact in active), words=words)


def steadied(held: Order | None, seen: Order, before: Order | None) -> Order:
    """What counts when contacts show `seen`, `before` at the last look, and `held` counted so far.

    What is tighter counts at once, what is looser once it is seen twice: relays bounce, and between
    two stages there may be a moment of none.
    """
    if held is None or seen == before:
        return seen
    bounds = tightest([held.bounds, seen.bounds])
    return seen if bounds == seen.bounds else Order(bounds=bounds, words=held.words)


def tightest(bounds: Iterable[Bounds]) -> Bounds:
    """Of each bound the tightest; only import, export, load and generation are bounded here."""
    known = tuple(bounds)
    return Bounds(
        import_w=_least(one.import_w for one in known),
        export_w=_most(one.export_w for one in known),
        load_w=_least(one.load_w for one in known),
        generation_w=_most(one.generation_w for one in known),
    )


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Iterable[float | None]) -> float | None:
    """Export and generation are negative: the highest is the tightest."""
    return max((value for value in values if value is not None), default=None)
