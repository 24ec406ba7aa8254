"""What the gateway may change of a site's settings, and what it never may.

A site's own file says everything; a gateway sends some settings over it. Two gates, one behind the
other, keep that harmless. First, every path that it names must be on the list here, before anything
is read or compared, so that nothing can be found out by trying. Second, the settings that come out
are compared with those of the file alone, value by value, whatever way they came about: each
difference must be on the list, and in the direction it allows.

Electrical limits may be tightened, never loosened, and always against the file: what an earlier
configuration had tightened can be given back, and no further.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from itertools import islice
from pathlib import Path

import yaml
from pydantic import ValidationError

from contracts.bounded_yaml import read_mapping
from contracts.config import key_text, load, loads, read_text
from contracts.errors import ConfigError, ProtocolError
from contracts.site_link.configuration import MAX_CHANGES, MAX_FAULTS, Change
from site_agent.config import SiteSettings
from site_agent.config.tariff_files import shipped

Tree = Mapping[str, object]
Way = tuple[str, ...]
"""The way to a setting; an id may hold dots."""

_ID_OF: Mapping[Way, str] = {
    ("batteries",): "id",
    ("chargers",): "id",
    ("pv",): "id",
    ("sensors",): "id",
    ("telecontrol",): "id",
    ("circuit", "nodes"): "id",
    ("fleet",): "vehicle_id",
    ("drivers",): "driver_id",
}
"""Lists whose members are addressed by an id."""
_WHOLE: tuple[Way, ...] = (("tariff",), ("rules",))
"""Replaced, never mixed with what is there."""
_CHARS = 200


class Direction(Enum):
    """How far a setting may be changed from above."""

    FREE = "free"
    DOWN = "down"
    """Only below what the site's own file says."""


ALLOWED: Mapping[str, Direction] = {
    "tariff": Direction.FREE,
    "planning": Direction.FREE,
    "forecast": Direction.FREE,
    "rules": Direction.FREE,
    "telemetry_s": Direction.FREE,
    "island.all_above_pct": Direction.FREE,
    "island.critical_above_pct": Direction.FREE,
    "batteries.*.reserve_soc_pct": Direction.FREE,
    "fleet.*.rank": Direction.FREE,
    "fleet.*.departure": Direction.FREE,
    "fleet.*.days": Direction.FREE,
    "fleet.*.arrival": Direction.FREE,
    "fleet.*.required_soc_pct": Direction.FREE,
    "ocpp.meter_interval_s": Direction.FREE,
    "ocpp.lease_s": Direction.DOWN,
    "batteries.*.lease_s": Direction.DOWN,
    "pv.*.lease_s": Direction.DOWN,
    "meter.max_age_s": Direction.DOWN,
    "contract_limit_w": Direction.DOWN,
    "circuit.limit_a": Direction.DOWN,
    "circuit.nodes.*.limit_a": Direction.DOWN,
}
"""By path; a `*` stands for an id. What is below an allowed path is allowed.

Deliberately missing, beside devices, addresses, credentials and people: `max_building_w`, a
charger's or battery's rating and its fail-safe share. A lower one would look tighter, but they say
what is to be reckoned with when something fails.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of settings from above."""

    settings: SiteSettings | None = None
    """None: there are faults."""
    faults: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    """Against the site's own file, whether allowed or not: only allowed ones show values."""


class LocalFile:
    """A site's own settings, as they were when the agent started; made by `read_local`."""

    def __init__(
        self, tree: Tree, settings: SiteSettings, drift: Callable[[], str] = lambda: ""
    ) -> None:
        self._tree = tree
        self.settings = settings
        self.drift = drift
        """How the file on the disk differs from what runs; empty: it does not."""
        self.base = fingerprint(settings)
        """Which they are; not for others: who knows all but a password could find that out."""

    def judged(self, text: str) -> Judged:
        """Settings from above over these; never raises, whatever `text` is."""
        try:
            over = read_mapping(text)
        except ProtocolError as error:
            return Judged(faults=(str(error),))
        faults = list(islice(_unwelcome(over), MAX_FAULTS))
        if faults:
            return Judged(faults=tuple(faults))
        try:
            settings = SiteSettings.model_validate(_over(self._tree, over, ()))
        except ValidationError as error:
            return Judged(faults=tuple(islice(_invalid(error), MAX_FAULTS)))
        except (KeyError, RecursionError) as error:
            return Judged(faults=(str(error.args[0]) if error.args else "too deep",))
        changes = tuple(differences(self.settings, settings))
        faults = [fault for one in changes if (fault := _fault(one))]
        shown = tuple(_shown(one) for one in changes[:MAX_CHANGES])
        if faults:
            return Judged(faults=tuple(faults[:MAX_FAULTS]))
        return Judged(settings=settings, changes=shown)

    def told(self, settings: SiteSettings) -> str:
        """SHA-256 over what may be changed from above, which is no secret."""
        return _hashed({path: value for path, value in _flat(settings).items() if direction(path)})


def read_local(path: Path) -> LocalFile:
    """The settings in a file.

    Raises:
        ConfigError: as `contracts.config.load`.
    """
    text = read_text(path)
    settings = loads(text, SiteSettings, name=str(path))
    watched = _Watched(path, fingerprint(settings))
    return LocalFile(yaml.safe_load(text) or {}, settings, watched.drift)


class _Watched:
    """Looks into the file again whenever it has been touched."""

    def __init__(self, path: Path, base: str) -> None:
        self._path = path
        self._base = base
        self._seen = self._touched()
        self._drift = ""

    def drift(self) -> str:
        touched = self._touched()
        if touched != self._seen:
            self._seen, self._drift = touched, self._looked()
        return self._drift

    def _looked(self) -> str:
        try:
            now = fingerprint(load(self._path, SiteSettings))
        except ConfigError as error:
            return f"the site's own file has changed and is not good: {error}"[:500]
        same = now == self._base
        return "" if same else "the site's own file has changed: it holds from the next start on"

    def _touched(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that two settings do not share; None also where there is none."""

    path: Way
    before: object
    after: object


def differences(before: SiteSettings, after: SiteSettings) -> Iterator[Difference]:
    """Every value, defaults included, in which two settings differ, by path."""
    old, new = _flat(before), _flat(after)
    for path in sorted({**old, **new}):
        if old.get(path) != new.get(path) or (path in old) != (path in new):
            yield Difference(path=path, before=old.get(path), after=new.get(path))


def fingerprint(settings: SiteSettings) -> str:
    """SHA-256 over every value, defaults included; comments and order of a file do not count."""
    return _hashed(_flat(settings))


# --- what is allowed ------------------------------------------------------------------------------


def direction(path: Way) -> Direction | None:
    """How a setting may be changed from above; None: not at all."""
    for pattern, way in ALLOWED.items():
        wanted = pattern.split(".")
        pairs = zip(wanted, path, strict=False)
        if len(path) >= len(wanted) and all(want in ("*", part) for want, part in pairs):
            return way
    return None


def _unwelcome(over: Tree) -> Iterator[str]:
    """Paths that may not be named, and a tariff that would be read from the site's disk."""
    for path in _named(over, ()):
        if direction(path) is None:
            yield f"{key_text(path)[:_CHARS]}: may only be changed at the site"
    tariff = over.get("tariff")
    if isinstance(tariff, str) and tariff not in dict(shipped()):
        yield "tariff: from here only in full, or the name of one that comes with the agent"


def _named(over: object, path: Way) -> Iterator[Way]:
    if path and (direction(path) is not None or not isinstance(over, Mapping) or not over):
        yield path
    elif isinstance(over, Mapping):
        for key, value in over.items():
            yield from _named(value, (*path, key))


def _fault(one: Difference) -> str:
    way, path = direction(one.path), key_text(one.path)[:_CHARS]
    if way is None:
        return f"{path}: would be changed, which may only be done at the site"
    if way is Direction.DOWN and not _lower(one):
        own = _json(one.before)
        return f"{path}: may be lowered, not raised above {own}, which the site's own file says"
    return ""


def _lower(one: Difference) -> bool:
    before, after = one.before, one.after
    both = isinstance(before, int | float) and isinstance(after, int | float)
    return both and after <= before  # type: ignore[operator]  # numbers, as just seen


# --- putting it over the file ---------------------------------------------------------------------


def _over(tree: object, over: object, path: Way) -> object:
    """`tree` with `over` in it.

    Raises:
        KeyError: a thing is named that there is none of.
    """
    if not isinstance(over, Mapping) or path in _WHOLE:
        return over
    if path in _ID_OF:
        return _members(tree, over, path)
    base = tree if isinstance(tree, Mapping) else {}
    changed = {key: _over(base.get(key), value, (*path, key)) for key, value in over.items()}
    return {**base, **changed}


def _members(tree: object, over: Tree, path: Way) -> list[object]:
    members = [*tree] if isinstance(tree, list | tuple) else []
    name = _ID_OF[path]
    known = {str(one.get(name)): k for k, one in enumerate(members) if isinstance(one, Mapping)}
    for key, value in over.items():
        if key not in known:
            raise KeyError(
                f"{key_text((*path, key))[:_CHARS]}: there is none of that id at this site"
            )
        place = known[key]
        members[place] = _over(members[place], value, (*path, key))
    return members


def _invalid(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        yield f"{key_text(fault['loc'])}: {fault['msg']}"


# --- settings as flat values ----------------------------------------------------------------------


def _flat(settings: SiteSettings) -> dict[Way, object]:
    return dict(_leaves(settings.model_dump(mode="json"), ()))


def _leaves(tree: object, path: Way) -> Iterator[tuple[Way, object]]:
    if isinstance(tree, list) and path in _ID_OF:
        tree = {str(one[_ID_OF[path]]): one for one in tree}
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path, tree


def _hashed(values: Mapping[Way, object]) -> str:
    return sha256(json.dumps(sorted(values.items()), default=str).encode()).hexdigest()


def _shown(one: Difference) -> Change:
    return Change(
        path=key_text(one.path)[:_CHARS], before=_json(one.before), after=_json(one.after)
    )


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 4]} ..."
