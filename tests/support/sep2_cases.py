"""How our client goes through a CSIP procedure, and the certificates that takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from certs.certificates import Identity
from certs.sep2 import Depth, Sep2Pki, make_sep2_pki
from certs.sep2_faults import Fault, make_faulty
from contracts.config import Settings
from vtn_sim.sep2.procedures import Procedure
from vtn_sim.sep2.procedures import procedure as by_id

HOSTS = ("127.0.0.1", "localhost")


class Raw(Settings):
    """A Notification as bytes, and the answer due."""

    after_s: float
    body: str
    answer: int


class Case(Settings):
    """A procedure, and what our client is told for it."""

    name: str
    rows: tuple[str, ...] = ()
    listener: bool = True
    """False: polling only."""
    displaced_code: Literal[7, 14] = 7
    measured: bool = False
    """Whether the sites measure anything."""
    notices: Annotated[int, Field(ge=0)] = 0
    """Raised at the first site, a while after the start."""
    notifications: tuple[Raw, ...] = ()
    """Posted to our listener by hand, with the server's certificate."""
    inverters: bool = False
    """Our sites' inverters do by themselves all that can be carried to them."""
    refused: tuple[str, ...] = ()
    """Events (`*` is all) whose modes our sites lack, and say so."""
    id: str = ""
    """Of the procedure, where it is not `name`."""

    @property
    def procedure(self) -> Procedure:
        return by_id(self.id or self.name)


@dataclass
class Certificates:
    """Made once, in every length of chain and with every fault."""

    folder: Path
    _pkis: dict[int, Sep2Pki] = field(default_factory=dict)

    def pki(self, depth: Depth) -> Sep2Pki:
        if depth not in self._pkis:
            folder = self.folder / f"depth-{depth}"
            self._pkis[depth] = make_sep2_pki(folder, _now(), hosts=HOSTS, depth=depth)
        return self._pkis[depth]

    def server(self, procedure: Procedure) -> Identity:
        pki = self.pki(procedure.tls.chain)
        if procedure.tls.fault is None:
            return pki.server
        return make_faulty(pki.ca.parent, Fault(procedure.tls.fault), _now(), HOSTS)


def _now() -> datetime:
    return datetime.now(UTC)
