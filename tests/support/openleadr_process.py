"""openleadr's VTN as a process: started, told what to do, listened to; it dies with us."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from certs.pki import Pki
from contracts import die_with_parent
from contracts.identity import certificate_der, openadr_fingerprint
from support.waiting import PATIENCE_S

VTN_ID = "OPENLEADR"
"""In capitals: openleadr compares the name in capitals with what it got."""
_PROGRAM = Path(__file__).with_name("openleadr_vtn.py")
_LINE_BYTES = 1_000_000


class OpenleadrVtn:
    """A running one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.port = 0
        self.told: list[dict[str, Any]] = []
        """Everything it has said so far, as far as it was listened to."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/OpenADR2/Simple/2.0b"

    def do(self, what: str, **arguments: object) -> None:
        """A command of `openleadr_vtn.Vtn`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")

    def announce(self, event_id: str, *, unit: str | None = "W") -> None:
        """In ten minutes: a minute of 50 kW less, then a minute of 20 kW less."""
        steps = [(60, -50), (60, -20)]
        self.do("announce", event_id=event_id, start_in_s=600, steps=steps, unit=unit)

    async def next(self, what: str, **fields: object) -> dict[str, Any]:
        """The next thing it says that is this; what it says meanwhile is kept in `told`."""
        assert self._process.stdout is not None
        wanted = {"what": what, **fields}
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                found: dict[str, Any] = json.loads(line)
                self.told.append(found)
                if wanted.items() <= found.items():
                    return found
        raise AssertionError(f"openleadr's VTN ended; it said {self.told}")

    @property
    def heard(self) -> list[str]:
        """The kinds of messages that had come, in order, but for polls and reports."""
        kinds = [one["kind"] for one in self.told if one["what"] == "heard"]
        return [kind for kind in kinds if kind not in {"oadrPoll", "oadrUpdateReport"}]

    def count(self, what: str) -> int:
        """How often it has said this."""
        return sum(one["what"] == what for one in self.told)


@asynccontextmanager
async def openleadr_vtn(
    pki: Pki, ven_name: str, *, signed: bool, points: int = 1
) -> AsyncIterator[OpenleadrVtn]:
    """It serves while the block runs, trusts the VEN of `pki` alone, and asks for so many points.

    Of a report with more than one it can make nothing: it answers 500.
    """
    settings = {
        "vtn_id": VTN_ID,
        "cert": str(pki.vtn.cert),
        "key": str(pki.vtn.key),
        "ca": str(pki.utility_ca),
        "ven_name": ven_name,
        "ven_fingerprint": openadr_fingerprint(certificate_der(pki.ven.cert)),
        "signed": signed,
        "points": points,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-IS", die_with_parent.__file__, str(os.getpid())),
        *(sys.executable, "-I", str(_PROGRAM), json.dumps(settings)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        vtn = OpenleadrVtn(process)
        vtn.port = (await vtn.next("listening"))["port"]
        yield vtn
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
