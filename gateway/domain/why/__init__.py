"""Why: an event, a site or an instruction as one sentence, with the chain that leads to it.

Facts go in (`facts`), a small tree of sentences comes out (`tree`). Nothing is guessed: what was
decided brings its cause along, and this only puts the causes in order.
"""

from gateway.domain.why.event import why_event
from gateway.domain.why.facts import (
    Enrolled,
    EventFacts,
    InstructionFacts,
    Noted,
    Out,
    Said,
    SiteEvent,
    SiteFacts,
    Told,
    ToldStep,
)
from gateway.domain.why.instruction import why_instruction
from gateway.domain.why.site import why_site
from gateway.domain.why.tree import Answer, Line

__all__ = [
    "Answer",
    "Enrolled",
    "EventFacts",
    "InstructionFacts",
    "Line",
    "Noted",
    "Out",
    "Said",
    "SiteEvent",
    "SiteFacts",
    "Told",
    "ToldStep",
    "why_event",
    "why_instruction",
    "why_site",
]
