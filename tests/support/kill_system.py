"""A utility and a gateway as real programs, and one who kills the gateway at moments of chance."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from contracts.clock import SystemClock
from gateway.config import GatewaySettings
from support.processes import LOOPBACK, Program, eventually
from support.system_layout import write
from support.waiting import PATIENCE_S
from vtn_sim.config import VtnSettings


class KillSystem(ABC):
    """Both programs, and what the utility shows in its REST API."""

    def __init__(
        self, folder: Path, utility: VtnSettings, gateway: GatewaySettings, actions: str
    ) -> None:
        """`actions` is where, below `/api`, the utility is told what to do."""
        self.database = gateway.database
        write(folder / "utility.yaml", utility)
        write(folder / "gateway.yaml", gateway)
        self.utility = Program("utility", "utility-sim", folder / "utility.yaml")
        self.gateway = Program("gateway", "gateway", folder / "gateway.yaml")
        base = f"http://{LOOPBACK}:{utility.api_port}/api"
        self._actions = actions
        self._api = httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE_S)

    def start(self) -> None:
        """Both, and wait for the utility."""
        self.utility.start()
        eventually(lambda: self.utility.log("vtn_ready"), PATIENCE_S, "the utility runs")
        self.gateway.start()

    def close(self) -> None:
        """Whatever it takes."""
        self.gateway.end()
        self.utility.end()
        self._api.close()

    def act(self, action: str, **content: Any) -> dict[str, Any]:
        """Tell the utility to do something."""
        answer = self._api.post(self._actions, json={"action": action, **content})
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def look(self, path: str, **query: float | str) -> Any:
        """JSON of the utility's record."""
        return self._api.get(path, params=query).raise_for_status().json()

    @abstractmethod
    def heard(self, after: int) -> tuple[int, bool]:
        """The number of the utility's newest exchange, and whether the gateway told it something.

        Only exchanges numbered above `after` count; waits a moment for the first.
        """

    @property
    @abstractmethod
    def in_touch(self) -> bool:
        """Whether the gateway has reached the utility in this life."""

    def wait_in_touch(self) -> None:
        """However long a start takes."""
        eventually(lambda: self.in_touch, PATIENCE_S, "the gateway is in touch")


Running = TypeVar("Running", bound=KillSystem)


@contextmanager
def running(system: Running) -> Iterator[Running]:
    """Both programs up; gone afterwards, also after a failure."""
    try:
        system.start()
        yield system
    finally:
        system.close()


class Killer:
    """Kills the gateway at moments of chance, and starts it again at once."""

    def __init__(self, system: KillSystem, rng: random.Random) -> None:
        self._system = system
        self._rng = rng
        self._clock = SystemClock()
        self._seen = 0
        self.kills = 0
        self._aim()

    def _aim(self) -> None:
        """While it starts, when it has been in touch for a while, or just when it answers."""
        self._when = self._rng.choice(("starting", "in touch", "answering", "answering"))
        self._due_s = self._clock.monotonic() + self._rng.uniform(0.2, 1.5)

    def turn(self) -> bool:
        """Wait for a moment and kill if it is time; True when it was."""
        newest, told = self._system.heard(self._seen)
        self._seen = max(newest, self._seen)
        if not self._strikes(told):
            return False
        self._system.gateway.kill()
        self.kills += 1
        return True

    def again(self) -> None:
        """Start it again."""
        self._system.gateway.start()
        self._aim()

    def _strikes(self, answered: bool) -> bool:
        late = self._clock.monotonic() >= self._due_s
        if self._when == "starting":
            return late
        if not self._system.in_touch:
            self._due_s = self._clock.monotonic() + self._rng.uniform(0.2, 1.5)
            return False
        return late or (self._when == "answering" and answered)


def restart_and_settle(system: KillSystem, rounds: Callable[[], int], wanted: int) -> None:
    """Once more: whatever it would tell again, it tells before it has polled so often."""
    system.gateway.kill()
    system.gateway.start()
    system.wait_in_touch()
    enough = rounds() + wanted
    eventually(lambda: rounds() >= enough, PATIENCE_S, "it has polled again")
