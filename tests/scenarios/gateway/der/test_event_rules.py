"""The event rules as tables: each case of the YAML files beside this one, minute by minute.

Times are minutes after noon. Of a case:

- `programs`: primacy by name; `defaults`: values by program and mode
- `controls`: `of` its program, `at: from-to`, its modes with values (capital letters), and if need
  be `listed` from which minute, `created` minutes before noon, `random: [start, duration]`,
  `status`, `category`, `wants` (responseRequired)
- `draws`: `[start, duration, cancel]` by control, instead of random ones
- `then`: what changes on the server at a minute: `status`, `created`, `at` by control; `gone`
  controls; `primacy`; `assigned` programs; `defaults`; and here: `offline`, `opted_out`
- `looks`: the only minutes at which anybody looks (else every minute to `until`)
- `profile`, `device`: how the utility reads the rules; kind of device and modes it `refuses`
- `expect`: values by mode and minute, null where nothing sets the mode
- `answers`: by control, `code@minute ...` in order; a control left out must not be answered

With `devices`, each has the programs named, and `expect` and `answers` are by device.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet

from gateway.domain.der import intake
from gateway.domain.der.control import DerControl, Known, ResponseRequired
from gateway.domain.der.device import Applicable, Device, Rejection
from gateway.domain.der.draw import Draws
from gateway.domain.der.responses import CSIP_AUS, Edition, ResponseCode, ResponseProfile
from support.der import (
    DEVICE,
    EMPTY,
    MINUTE,
    codes,
    control,
    default,
    known,
    look,
    restored,
    value,
)

Case = dict[str, Any]
HERE = Path(__file__).parent


def cases() -> list[ParameterSet]:
    return [
        pytest.param(case, id=f"{table.stem}: {case['name']}")
        for table in sorted(HERE.glob("*.yaml"))
        for case in yaml.safe_load(table.read_text(encoding="utf-8"))
    ]


@pytest.fixture(autouse=True)
def loaded_dice(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    thrown = {
        mrid: Draws(start=start * MINUTE, duration=duration * MINUTE, cancel=cancel * MINUTE)
        for mrid, (start, duration, cancel) in case.get("draws", {}).items()
    }
    if thrown:
        monkeypatch.setattr(intake, "draw", lambda mrid, lfdi, **_: thrown.get(mrid, Draws()))


@pytest.mark.parametrize("case", cases())
def test_event_rules(case: Case) -> None:
    devices: dict[str, list[str] | None] = case.get("devices", {"": None})
    for name, assigned in devices.items():
        expect = case.get("expect", {})
        answers = case.get("answers", {})
        if name:
            expect, answers = expect.get(name, {}), answers.get(name, {})
        found: dict[str, list[str]] = {}
        for minute, mrid, code in (line.split() for line in run(case, assigned, expect)):
            found.setdefault(mrid, []).append(f"{code}@{minute}")
        assert {mrid: " ".join(line) for mrid, line in found.items()} == answers, name


def run(case: Case, assigned: list[str] | None, expect: dict[str, Any]) -> Iterator[str]:
    """Look at every minute, compare the values, yield the Responses; restart in between."""
    server, state = Server(case, assigned), EMPTY
    device, profile = device_of(case), profile_of(case)
    for minute in range(case.get("until", 70) + 1):
        server.now(minute)
        if minute not in case.get("looks", [minute]):
            continue
        seen = None if server.offline else server.listed(minute)
        options: dict[str, Any] = {"device": device, "profile": profile}
        out = dict.fromkeys(server.opted_out, device.parts)
        step = look(state, seen, minute, opted_out=out, **options)
        for mode, values in expect.items():
            if minute in values:
                assert value(step, mode, minute) == values[minute], f"{mode} at {minute}"
        yield from codes(step)
        state = restored(step.state)


class Server:
    """What the case says the server lists, as it changes."""

    def __init__(self, case: Case, assigned: list[str] | None) -> None:
        self._controls: dict[str, Case] = {
            name: dict(fields) for name, fields in case.get("controls", {}).items()
        }
        self._programs: dict[str, int] = dict(case.get("programs", {"p": 1}))
        self._defaults: dict[str, dict[str, float]] = case.get("defaults", {})
        self._assigned = assigned
        self._then: dict[int, Case] = case.get("then", {})
        self._gone: set[str] = set()
        self.offline = False
        self.opted_out: tuple[str, ...] = ()

    def now(self, minute: int) -> None:
        for what, change in self._then.get(minute, {}).items():
            if what in ("status", "created", "at"):
                for name, new in change.items():
                    self._controls[name][what] = new
            elif what == "gone":
                self._gone |= set(change)
            elif what == "primacy":
                self._programs |= change
            else:
                field = what if hasattr(self, what) else f"_{what}"
                setattr(self, field, tuple(change) if what == "opted_out" else change)

    def listed(self, minute: int) -> Known[float]:
        here = self._programs if self._assigned is None else self._assigned
        return known(
            *(
                made(name, fields)
                for name, fields in self._controls.items()
                if fields.get("listed", 0) <= minute
                and name not in self._gone
                and fields.get("of", "p") in here
            ),
            programs={name: self._programs[name] for name in here},
            defaults=tuple(
                default(of, **modes) for of, modes in self._defaults.items() if of in here
            ),
        )


def made(name: str, fields: Case) -> DerControl[float]:
    start, _, end = str(fields["at"]).partition("-")
    return control(
        name,
        float(start),
        float(end) if end else None,
        of=fields.get("of", "p"),
        modes={mode: v for mode, v in fields.items() if mode[0].isupper()},
        created=-fields.get("created", 60),
        random=tuple(fields.get("random", (0, 0))),
        status=fields.get("status", 0),
        answers=ResponseRequired(fields.get("wants", 7)),
        reply_to=fields.get("reply_to", "/rsp"),
        category=fields.get("category"),
    )


def profile_of(case: Case) -> ResponseProfile:
    said: Case = case.get("profile", {})
    return ResponseProfile(
        edition=Edition(str(said.get("edition", 2018))),
        codes=CSIP_AUS.codes if said.get("australian") else frozenset(ResponseCode),
        displaced_before_start=ResponseCode(said.get("displaced", 7)),
        resume=said.get("resume", False),
        revive=said.get("revive", False),
    )


def device_of(case: Case) -> Device:
    said: Case = case.get("device", {})
    return Device(
        lfdi=DEVICE.lfdi,
        categories=said.get("category"),
        applicable=refusing(said.get("refuses", {})),
    )


def refusing(refused: dict[str, int]) -> Applicable:
    """Refuse modes by name (252) or their values above a bound (253)."""

    def judge(mode: str, set_to: object) -> Rejection | None:
        bound = refused.get(mode)
        if bound == ResponseCode.NOT_APPLICABLE:
            return Rejection(code=ResponseCode.NOT_APPLICABLE, reason=f"no {mode} here")
        if bound is not None and isinstance(set_to, float | int) and set_to > bound:
            return Rejection(code=ResponseCode.INVALID, reason=f"{mode} is out of range")
        return None

    return judge
