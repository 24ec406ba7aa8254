"""The procedures in which the utility's operator acts: what is to be done, and what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gridyard.sep2.certify.witness import Kind

Fate = Literal[
    "ran",
    "cancelled before its start",
    "cancelled while it ran",
    "displaced before its start",
    "displaced while it ran",
    "refused",
    "too late",
]
CODES: Mapping[Fate, str] = {
    "ran": "1, 2, 3",
    "cancelled before its start": "1, 6",
    "cancelled while it ran": "1, 2, 6",
    "displaced before its start": "1, 7 or 1, 14",
    "displaced while it ran": "1, 2, 7",
    "refused": "1, 252",
    "too late": "254",
}
_SIGHTS: Mapping[Kind, str] = {
    "default": "a DefaultDERControl that has changed",
    "primacy": "a DERProgram whose primacy has changed",
    "programs": "a device with other programs than before",
    "added": "a configured device that is listed now",
    "gone": "a device that is no longer listed",
    "notified": "a Notification, and its resource read again",
    "ended": "a Notification that ends a Subscription (status 1 or more)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Something that must be seen so often: a control at a device that ends so, or a change."""

    fate: Fate | None = None
    sight: Kind | None = None
    count: int = 1
    modes: frozenset[str] = frozenset()
    """One of these must be in the control; empty: any."""
    optional: bool = False
    """A device without the mode answers 252 instead, which will do."""

    @property
    def text(self) -> str:
        """For people."""
        if self.fate is None:
            return _SIGHTS[self.sight] if self.sight else ""
        what = f" with {' or '.join(sorted(self.modes))}" if self.modes else ""
        or_252 = " (or 1, 252: no such mode)" if self.optional else ""
        return f"control{what} that {_SAID[self.fate]}, answered {CODES[self.fate]}{or_252}"


_SAID: Mapping[Fate, str] = {
    "ran": "ran to its end",
    "cancelled before its start": "was cancelled before its start",
    "cancelled while it ran": "was cancelled while it ran",
    "displaced before its start": "was displaced before its start",
    "displaced while it ran": "was displaced while it ran",
    "refused": "was refused",
    "too late": "came too late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One procedure."""

    id: str
    title: str
    operator: Sequence[str]
    """What the utility's operator has to do, step by step."""
    wants: Sequence[Want]
    devices: int = 1
    """So many configured devices it takes."""
    listener: bool = False
    """Whether Notifications must be able to reach us."""


_CONTROL = "{w} a DERControl, responseRequired 07, that starts in SOON and lasts a minute"
_ONE = _CONTROL.format(w="post in a program of a configured device")
_NEXT = "then another in the same program, that starts {when}"
_TWO_PROGRAMS = "take two programs of one device with different primacies"
_SAME = "the same mode in both"
_OTHER = "different modes that do not exclude each other, opModMaxLimW and opModFixedW for example"
_CHANGE = (
    "change the DefaultDERControl of a program of a configured device, opModMaxLimW for example"
)


def _ran(count: int = 1, *modes: str, optional: bool = False) -> Want:
    return Want(fate="ran", count=count, modes=frozenset(modes), optional=optional)


def _mode(name: str, title: str, *modes: str, optional: bool = False) -> Watched:
    first = f"{_ONE}, with {' or '.join(modes)}"
    wants = (_ran(1, *modes, optional=optional),)
    return Watched(id=name, title=title, operator=(first,), wants=wants)


def _curve(name: str, title: str, *modes: str) -> Watched:
    return _mode(name, title, *modes, optional=True)


def _controls(
    name: str, title: str, *operator: str, wants: Iterable[Want], devices: int = 1
) -> Watched:
    return Watched(id=name, title=title, operator=operator, wants=tuple(wants), devices=devices)


_BEFORE = Want(fate="displaced before its start")
_WHILE = Want(fate="displaced while it ran")
_IN_BETTER = "post in the better program (lower primacy) a control over the same time, {same}"
_OVERLAP = (
    _TWO_PROGRAMS,
    _CONTROL.format(w="post in the worse program (higher primacy)"),
    _IN_BETTER.format(same=_SAME),
)
_OVERLAP_OTHER_ORDER = (
    _TWO_PROGRAMS,
    _CONTROL.format(w="post in the better program (lower primacy) first"),
    f"post in the worse one a control over the same time, {_SAME}",
)
_LATER = (
    _TWO_PROGRAMS,
    _CONTROL.format(w="post in the worse program").replace("a minute", "five minutes"),
    f"once it runs: post in the better program one that starts in SOON, {_SAME}",
)
_NEXT_GAP = _NEXT.format(when="a minute after the first one's end")
_NEXT_NOW = _NEXT.format(when="when the first one ends")
_GROUPS = "take a program of all devices and a better one (lower primacy) of some of them"

_ALL: Sequence[Watched] = (
    Watched(
        id="CORE-018",
        title="Notification of a change",
        operator=("wait until we have subscribed", _ONE),
        wants=(Want(sight="notified"), _ran()),
        listener=True,
    ),
    Watched(
        id="CORE-019",
        title="the server ends a Subscription; polling goes on",
        operator=("end one of our Subscriptions with status 1", _ONE),
        wants=(Want(sight="ended"), _ran()),
        listener=True,
    ),
    _controls(
        "CORE-021",
        "randomised starts and durations",
        _ONE,
        "post one with randomizeStart and randomizeDuration +30 s, and one with -30 s of both, "
        "apart from each other",
        wants=(_ran(3),),
    ),
    _controls(
        "CORE-022",
        "an event that runs, one cancelled before its start, one while it runs",
        _ONE,
        "post a second one later, and cancel it before its start",
        "post a third one, and cancel it once it runs",
        wants=(
            _ran(),
            Want(fate="cancelled before its start"),
            Want(fate="cancelled while it ran"),
        ),
    ),
    _controls(
        "CORE-023",
        "three programs with one start",
        "take three programs of one device with different primacies",
        "post in each a DERControl, responseRequired 07, of the same mode, start (in SOON) and "
        "duration",
        wants=(_ran(), Want(fate="displaced before its start", count=2)),
    ),
    _controls(
        "BASIC-003",
        "assignments that change",
        "assign a configured device to another group with another program",
        "post in its new program a DERControl, responseRequired 07, that starts in SOON",
        wants=(Want(sight="programs"), _ran()),
    ),
    _curve("BASIC-004", "voltage ride-through", "opModHVRTMustTrip", "opModLVRTMustTrip"),
    _curve("BASIC-005", "frequency ride-through", "opModHFRTMustTrip", "opModLFRTMustTrip"),
    _curve("BASIC-006", "volt-var curve", "opModVoltVar"),
    _controls(
        "BASIC-007",
        "ramp rates of a default",
        "change setGradW of the DefaultDERControl of a program of a configured device",
        _ONE,
        wants=(Want(sight="default"), _ran()),
    ),
    _curve("BASIC-008", "fixed power factor", "opModFixedPFInjectW", "opModFixedPFAbsorbW"),
    _mode("BASIC-009", "energize", "opModEnergize"),
    _mode("BASIC-010", "maximum active power", "opModMaxLimW"),
    _curve("BASIC-011", "volt-watt curve", "opModVoltWatt"),
    _curve("BASIC-012", "frequency-watt curve or droop", "opModFreqWatt", "opModFreqDroop"),
    _mode("BASIC-013", "fixed active power (not required)", "opModFixedW", optional=True),
    _mode("BASIC-014", "target active power (not required)", "opModTargetW", optional=True),
    _controls(
        "BASIC-015",
        "24 events are kept",
        "post 24 DERControls one after the other, the first of which starts in SOON",
        "once the first is over, cancel all others",
        wants=(_ran(), Want(fate="cancelled before its start", count=23)),
    ),
    Watched(
        id="BASIC-016",
        title="a changed default",
        operator=(_CHANGE,),
        wants=(Want(sight="default"),),
    ),
    _controls("BASIC-017", "a single event", _ONE, wants=(_ran(),)),
    _controls("BASIC-018", "successive events", _ONE, _NEXT_NOW, wants=(_ran(2),)),
    _controls("BASIC-019", "events apart", _ONE, _NEXT_GAP, wants=(_ran(2),)),
    _controls(
        "BASIC-020",
        "events of two programs, apart",
        _TWO_PROGRAMS,
        _CONTROL.format(w="post in one"),
        "post in the other one that starts a minute after the first one's end",
        wants=(_ran(2),),
    ),
    _controls("BASIC-021", "one mode twice; the better runs", *_OVERLAP, wants=(_ran(), _BEFORE)),
    _controls(
        "BASIC-022",
        "one mode twice, the better announced first",
        *_OVERLAP_OTHER_ORDER,
        wants=(_ran(), _BEFORE),
    ),
    _controls(
        "BASIC-023", "the better comes while the worse runs", *_LATER, wants=(_ran(), _WHILE)
    ),
    _controls(
        "BASIC-024",
        "independent modes overlap",
        _ONE,
        f"post another that begins and ends half a minute later, with {_OTHER}",
        wants=(_ran(2),),
    ),
    _controls(
        "BASIC-025",
        "independent modes, one inside the other",
        _ONE,
        f"post another that lies within it, with {_OTHER}",
        wants=(_ran(2),),
    ),
    _controls(
        "BASIC-026",
        "independent modes, the second announced later",
        _ONE.replace("a minute", "five minutes"),
        f"once it runs: post another that overlaps it, with {_OTHER}",
        wants=(_ran(2),),
    ),
    _controls(
        "UTIL-004",
        "events at three levels",
        "take programs of one, two and four of the devices",
        "post in each a DERControl, responseRequired 07, that starts in SOON, one after the other",
        wants=(_ran(7),),
        devices=4,
    ),
    Watched(
        id="AGG-001",
        title="a device is added",
        operator=("list a configured device that is not listed yet",),
        wants=(Want(sight="added"),),
    ),
    Watched(
        id="AGG-002",
        title="defaults of groups",
        operator=("change the DefaultDERControl of a program of several devices",),
        wants=(Want(sight="default"),),
    ),
    _controls("AGG-003", "a single event of a group", _ONE, wants=(_ran(2),), devices=2),
    _controls("AGG-004", "successive of a group", _ONE, _NEXT_NOW, wants=(_ran(4),), devices=2),
    _controls("AGG-005", "apart, of a group", _ONE, _NEXT_GAP, wants=(_ran(4),), devices=2),
    _controls(
        "AGG-006",
        "events of two groups, apart",
        _GROUPS,
        _CONTROL.format(w="post in the wide one"),
        "post in the narrow one another that starts a minute after the first one's end",
        wants=(_ran(3),),
        devices=2,
    ),
    _controls(
        "AGG-007",
        "one mode twice; targeted devices run the better one",
        _GROUPS,
        _CONTROL.format(w="post in the wide one"),
        _IN_BETTER.format(same=_SAME),
        wants=(_ran(2), _BEFORE),
        devices=2,
    ),
    _controls(
        "AGG-008",
        "the same, the better one announced first",
        _GROUPS,
        _CONTROL.format(w="post in the narrow one"),
        f"post in the wide one a control over the same time, {_SAME}",
        wants=(_ran(2), _BEFORE),
        devices=2,
    ),
    _controls(
        "AGG-009",
        "a better one later; targeted devices switch",
        _GROUPS,
        *_LATER[1:],
        wants=(_ran(2), _WHILE),
        devices=2,
    ),
    *(
        _controls(
            name,
            f"independent modes of two groups, {how}",
            _GROUPS,
            _CONTROL.format(w="post in the wide one").replace("a minute", "five minutes"),
            f"post in the narrow one another, {when}, with {_OTHER}",
            wants=(_ran(3),),
            devices=2,
        )
        for name, how, when in (
            ("AGG-010", "overlapping", "that overlaps it"),
            ("AGG-011", "one inside the other", "that lies within it"),
            ("AGG-012", "the second later", "once the first runs, that overlaps it"),
        )
    ),
    Watched(
        id="MAINT-001",
        title="a device is deleted",
        operator=("take a configured device from our EndDeviceList",),
        wants=(Want(sight="gone"),),
    ),
    Watched(
        id="MAINT-003",
        title="a device moves to another group",
        operator=("assign a configured device to another group, with another program",),
        wants=(Want(sight="programs"),),
    ),
    _controls(
        "MAINT-004",
        "a control is added while another runs",
        _ONE.replace("a minute", "five minutes"),
        f"once it runs: post another that overlaps it, with {_OTHER}",
        wants=(_ran(2),),
    ),
    Watched(
        id="MAINT-005",
        title="two programs swap their primacies",
        operator=("swap the primacies of two programs of a configured device",),
        wants=(Want(sight="primacy", count=2),),
    ),
)
WATCHED: Mapping[str, Watched] = {one.id: one for one in _ALL}
"""By id, in order."""
