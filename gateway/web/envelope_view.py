"""What utilities impose on a site, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from gateway.domain.operating_envelope import EnvelopeStep, OperatingEnvelope, SiteBounds
from gateway.ports import StoredEnvelope
from gateway.reports import words
from gateway.reports.inverter_words import function_in_words

_STEPS_SHOWN = 12
"""Of one envelope on a page; the API has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeLine:
    """One stretch of one utility's envelope."""

    utility_id: str
    when: str
    now: bool
    """In force at this moment."""
    bounds: str
    cause: str


def envelope_lines(
    stored: Sequence[StoredEnvelope], site_id: str, now: datetime, tz: tzinfo
) -> tuple[EnvelopeLine, ...]:
    """What is in force at a site and what comes, utility by utility."""
    return tuple(
        line
        for one in stored
        if one.envelope.site_id == site_id
        for line in _lines(one.envelope, now, tz)
    )


def bounds_in_words(bounds: SiteBounds) -> str:
    """Every bound with its unit, directions in words: "import at most 20 kW, no export"."""
    return ", ".join(_phrases(bounds)) or "nothing is bound"


def _lines(envelope: OperatingEnvelope, now: datetime, tz: tzinfo) -> Iterator[EnvelopeLine]:
    ahead = [step for step in envelope.steps if _reaches(step, now)]
    for step in ahead[:_STEPS_SHOWN]:
        end = step.interval.end
        since = f"from {words.moment(step.interval.start, tz)} until further notice"
        yield EnvelopeLine(
            utility_id=envelope.utility_id,
            when=since if end is None else words.span(step.interval, tz),
            now=now in step.interval,
            bounds=bounds_in_words(step.bounds),
            cause=step.cause,
        )


def _reaches(step: EnvelopeStep, now: datetime) -> bool:
    return step.interval.end is None or step.interval.end > now


def _phrases(bounds: SiteBounds) -> Iterator[str]:
    limits = (
        ("import", bounds.import_limit_w),
        ("export", _turned(bounds.export_limit_w)),
        ("load of chargers and batteries", bounds.load_limit_w),
        ("generation", _turned(bounds.generation_limit_w)),
    )
    for what, most_w in limits:
        if most_w is not None:
            yield _at_most(what, most_w)
    if bounds.storage_power_w is not None:
        way = "charge" if bounds.storage_power_w >= 0 else "discharge"
        yield f"batteries {way} with {words.power(abs(bounds.storage_power_w))}"
    if bounds.energize is False:
        yield "everything that can be steered stops"
    yield from (f"inverters: {function_in_words(one)}" for one in bounds.inverter_functions)


def _at_most(what: str, most_w: float) -> str:
    if most_w == 0:
        return f"no {what}"
    opposite = {"import": "export", "export": "import"}
    if most_w < 0:
        return f"{opposite.get(what, what)} at least {words.power(-most_w)}"
    return f"{what} at most {words.power(most_w)}"


def _turned(value: float | None) -> float | None:
    return None if value is None else -value
