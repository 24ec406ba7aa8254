"""Programs are data: what a utility may ask of the enrolled sites, and how delivery is measured.

`program` is a version with its `rules`; `findings` says what they mean for an event, `use` counts
what was called, `opt` answers, `target` says how much is asked.
"""

from gateway.domain.program.call import Call
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.findings import findings, in_words
from gateway.domain.program.measuring import Adjustment, BaselineMethod, DayType
from gateway.domain.program.opt import decide_opt
from gateway.domain.program.opting import Policy
from gateway.domain.program.program import Program, newest, version_at
from gateway.domain.program.rules import Rules
from gateway.domain.program.target import closed_window, level_share, reduction_target
from gateway.domain.program.use import Counter, counters

__all__ = [
    "Adjustment",
    "BaselineMethod",
    "Call",
    "Counter",
    "DayType",
    "Effect",
    "Finding",
    "Policy",
    "Program",
    "RuleKind",
    "Rules",
    "closed_window",
    "counters",
    "decide_opt",
    "findings",
    "in_words",
    "level_share",
    "newest",
    "reduction_target",
    "version_at",
]
