"""Find what somebody asks about, and answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from contracts.errors import PermanentError
from site_agent.domain.why.answer import Answer, Seen, Subject
from site_agent.domain.why.charger import why_charger
from site_agent.domain.why.index import Index, index_of
from site_agent.domain.why.site import why_node, why_site
from site_agent.domain.why.stores import why_battery, why_pv
from site_agent.domain.why.vehicle import why_vehicle

SITE = "site"
"""Names the site itself, whatever its id."""
_LONGEST = 100


class UnknownSubjectError(PermanentError):
    """Nothing of this site has such a name."""


def why(seen: Seen, asked: str) -> Answer:
    """Why the device, circuit node, vehicle or site with this name does what it does now.

    Raises:
        UnknownSubjectError: nothing here has this name; the message names what comes near.
    """
    of, name = find(seen, asked)
    return answer(index_of(seen), of, name)


def answer(index: Index, of: Subject, name: str) -> Answer:
    """As `why`, of something that is known to be there."""
    return _ANSWERS[of](index, name)


def find(seen: Seen, asked: str) -> tuple[Subject, str]:
    """What a name means; case, spaces, dots and dashes need not be right.

    Raises:
        UnknownSubjectError: as `why`.
    """
    known = subjects(seen)
    if asked in known:
        return known[asked], _named(seen, asked)
    alike = [name for name in known if _plain(name) == _plain(asked)]
    if len(alike) == 1:
        return known[alike[0]], _named(seen, alike[0])
    near = alike or get_close_matches(asked[:_LONGEST], known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "see the page for all names"
    raise UnknownSubjectError(f"there is no device or vehicle {asked[:_LONGEST]!r} here; {hint}")


def subjects(seen: Seen) -> Mapping[str, Subject]:
    """Everything that can be asked about, by name; a device goes before a vehicle of its name."""
    model = seen.snapshot.model
    vehicles = [*sorted(seen.fleet), *(need.vehicle_id for need in seen.snapshot.needs)]
    return {
        **dict.fromkeys(vehicles, Subject.VEHICLE),
        **{node.node_id: Subject.NODE for node in model.nodes},
        **{one.spec.pv_id: Subject.PV for one in seen.snapshot.pv},
        **{one.spec.battery_id: Subject.BATTERY for one in seen.snapshot.batteries},
        **{one.spec.evse_id: Subject.CHARGER for one in seen.snapshot.chargers},
        model.site_id: Subject.SITE,
        SITE: Subject.SITE,
    }


def _named(seen: Seen, name: str) -> str:
    return seen.snapshot.model.site_id if name == SITE else name


def _plain(name: str) -> str:
    return re.sub(r"[\s._:-]+", "", name).casefold()


_ANSWERS: Mapping[Subject, Callable[[Index, str], Answer]] = {
    Subject.SITE: lambda index, _: why_site(index.seen),
    Subject.NODE: why_node,
    Subject.CHARGER: why_charger,
    Subject.BATTERY: why_battery,
    Subject.PV: why_pv,
    Subject.VEHICLE: why_vehicle,
}
