"""A utility without sockets: requests go straight into its tree, time moves by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from contracts.sep2 import codec
from contracts.sep2.dialect import CSIPAUS_V1_2, CSIPAUS_V1_3_STORAGE, Dialect
from contracts.sep2.resources import Error, Resource
from contracts.testing import FakeClock
from vtn_sim.sep2.actions import Action
from vtn_sim.sep2.court import Court
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.director import Director
from vtn_sim.sep2.exchanges import Exchanges
from vtn_sim.sep2.paging import page_of
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.sep2.subscriptions import Topic
from vtn_sim.sep2.tree import Answer, Tree
from vtn_sim.sep2.utility import Utility

DIALECT = Dialect(csipaus=CSIPAUS_V1_3_STORAGE)
ResourceT = TypeVar("ResourceT", bound=Resource)
_ACTIONS: TypeAdapter[Action] = TypeAdapter(Action)
AGGREGATOR = "A" * 40
OTHER_AGGREGATOR = "B" * 40


def lfdi_of(number: int) -> str:
    return f"{number:09X}" + "0" * 31


class FakeNotifier:
    """Remembers who was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def tell(self, held: Any, status: int = 0) -> None:
        self.told.append((held.path, int(status)))


class World:
    """The utility and the ways into it."""

    def __init__(self, clock: FakeClock, **settings: Any) -> None:
        self.clock = clock
        self.utility = Utility(Sep2ServerSettings.model_validate(settings), clock)
        self.tree = Tree(self.utility)
        self.notifier = FakeNotifier()
        self.director = Director(self.utility, self.notifier)  # type: ignore[arg-type]
        self.court = Court(self.utility, Exchanges(100))
        self.client = self.client_of(AGGREGATOR)
        self.topics: list[Topic] = []
        self.utility.listen(self.topics.append)

    def client_of(self, lfdi: str) -> Device:
        found = self.utility.devices.client(lfdi)
        assert found is not None
        return found

    def act(self, action: str, **content: Any) -> dict[str, Any]:
        return self.director.perform(_ACTIONS.validate_python({"action": action, **content}))

    def answer(
        self, method: str, href: str, body: Resource | bytes = b"", client: Device | None = None
    ) -> Answer:
        path, _, query = href.partition("?")
        sent = body if isinstance(body, bytes) else codec.encode(body, DIALECT)
        page = page_of(dict(pair.split("=") for pair in query.split("&") if pair))
        return self.tree.answer(client or self.client, method, path, page, sent)

    def get(
        self, href: str | None, cls: type[ResourceT], query: str = "", client: Device | None = None
    ) -> ResourceT:
        assert href is not None
        answer = self.answer("GET", href + query, client=client)
        assert answer.status == 200, f"{href}: {answer.status}"
        return codec.decode(answer.body, cls)

    def status(
        self, method: str, href: str, body: Resource | bytes = b"", client: Device | None = None
    ) -> int:
        answer = self.answer(method, href, body, client)
        if answer.status >= 400:
            codec.decode(answer.body, Error)
        return answer.status

    def post(self, href: str | None, body: Resource, wanted: int = 201) -> str:
        assert href is not None
        answer = self.answer("POST", href, body)
        assert answer.status == wanted, f"{href}: {answer.status} {answer.remarks}"
        return dict(answer.headers)["Location"]


FILES = {"cert_file": Path("c"), "key_file": Path("k"), "ca_file": Path("a")}
SETTINGS: dict[str, Any] = {
    **FILES,
    "csipaus": CSIPAUS_V1_2,
    "aggregators": [{"name": "agg", "lfdi": AGGREGATOR}],
    "devices": [
        {"lfdi": lfdi_of(1), "label": "one", "fsas": ["wide", "narrow"]},
        {"lfdi": lfdi_of(2), "label": "two", "fsas": ["wide"], "pin": 222222},
    ],
    "programs": [
        {"name": "wide", "primacy": 5, "default": {"modes": {"opModImpLimW": 90000}}},
        {"name": "narrow", "primacy": 1},
    ],
    "fsas": [
        {"name": "wide", "programs": ["wide"]},
        {"name": "narrow", "programs": ["narrow"]},
    ],
}
