"""An independent VTN (openleadr's server): `openleadr_vtn.py SETTINGS`, in a process of its own.

Its state sits on a class, so a process can hold one. Commands come on standard input, what happens
goes to standard output, one line of JSON each; it ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

from openleadr import hooks, objects
from openleadr.server import OpenADRServer

VEN_ID, REGISTRATION_ID = "ven-7", "reg-7"
_STEP = timedelta(seconds=2)
_KIND = re.compile(rb"<(?:\w+:)?oadrSignedObject[^>]*>\s*<(?:\w+:)?(\w+)")
_OUT = sys.stdout
Measurement: Any = objects.Measurement  # its hints are stricter than its code
PowerAttributes: Any = objects.PowerAttributes
register_hook: Any = hooks.register


def tell(what: str, **more: Any) -> None:
    """One line to whoever started us."""
    print(json.dumps({"what": what, **more}), file=_OUT, flush=True)


class Vtn:
    """One VEN may register, by its name and the fingerprint of its certificate."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._expected = settings["ven_name"], settings["ven_fingerprint"]
        self._points = settings["points"]
        self._registration_id: str | None = None
        signing = {"cert": settings["cert"], "key": settings["key"]} if settings["signed"] else {}
        server: Any = OpenADRServer
        self._server = server(
            vtn_id=settings["vtn_id"],
            http_cert=settings["cert"],
            http_key=settings["key"],
            http_ca_file=settings["ca"],
            http_port=0,
            requested_poll_freq=timedelta(seconds=1),
            ven_lookup=self.lookup,
            verify_message_signatures=settings["signed"],
            show_fingerprint=False,
            **signing,
        )
        self._server.add_handler("on_create_party_registration", self.register)
        self._server.add_handler("on_register_report", self.wish)
        register_hook("before_parse", self.note)

    async def run(self) -> None:
        """Serve, and do as told, until the input ends."""
        await self._server.run()
        tell("listening", port=self._server.app_runner.addresses[0][1])
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            getattr(self, command.pop("do"))(**command)
        await self._server.stop()

    # --- what openleadr asks --------------------------------------------------------------------

    def lookup(self, ven_id: str) -> dict[str, Any]:
        """Who it is; without a registrationID it is asked to register again."""
        known = self._registration_id if ven_id == VEN_ID else None
        return {"ven_id": ven_id, "registration_id": known, "fingerprint": self._expected[1]}

    def register(self, message: dict[str, Any]) -> tuple[str, str] | bool:
        """Take it if it is the one."""
        if (message["ven_name"], message["fingerprint"]) != self._expected:
            return False
        self._registration_id = REGISTRATION_ID
        with_id = message.get("registration_id")
        tell("registered", signs=message["xml_signature"], with_id=with_id)
        return VEN_ID, REGISTRATION_ID

    def wish(self, report: dict[str, Any]) -> list[tuple[Any, ...] | None]:
        """TELEMETRY_USAGE, each two seconds; it can read intervals with one value each."""
        ids = [description["r_id"] for description in report["report_descriptions"]]
        tell("offered", report=report["report_name"], points=ids)
        if report["report_name"] != "METADATA_TELEMETRY_USAGE":
            return [None for _ in ids]
        return [(r_id, self.reported, _STEP, _STEP) for r_id in ids[: self._points]]

    def reported(self, values: list[tuple[datetime, float]]) -> None:
        """A report of ours, with the times and values openleadr has read in it."""
        tell("report", values=[[str(at), value] for at, value in values])

    def answered(self, ven_id: str, event_id: str, opt_type: str) -> None:
        """Called once for each event and change of it, with what openleadr has recorded."""
        tell("opt", ven_id=ven_id, event_id=event_id, opt=opt_type)

    async def note(self, message: bytes) -> None:
        """Messages as they came, before openleadr reads them."""
        found = _KIND.search(message)
        tell("heard", kind=found[1].decode() if found else "", xml=message.decode())

    # --- what the test asks ---------------------------------------------------------------------

    def announce(
        self,
        event_id: str,
        start_in_s: float,
        steps: list[tuple[float, float]],
        unit: str | None,
    ) -> None:
        """An event of LOAD_DISPATCH: seconds and value (in 1000 `unit`) of each interval."""
        at, intervals = datetime.now(UTC) + timedelta(seconds=start_in_s), []
        for seconds, value in steps:
            lasting = timedelta(seconds=seconds)
            intervals.append({"dtstart": at, "duration": lasting, "signal_payload": value})
            at += lasting
        self._server.add_event(
            ven_id=VEN_ID,
            event_id=event_id,
            signal_name="LOAD_DISPATCH",
            signal_type="delta",
            intervals=intervals,
            market_context="http://utility.example/peak",
            callback=self.answered,
        )
        if unit is not None:  # add_event knows no units
            event = self._server.events[VEN_ID][-1]
            event.event_signals[0].measurement = Measurement(
                name="powerReal",
                description="RealPower",
                unit=unit,
                scale="k",
                power_attributes=PowerAttributes(),
            )

    def cancel(self, event_id: str) -> None:
        """Explicitly; the answer is recorded as that to a change."""
        (event,) = (e for e in self._server.events[VEN_ID] if _id(e) == event_id)
        self._server.event_callbacks[event_id] = event, self.answered
        self._server.cancel_event(VEN_ID, event_id)

    def leave_out(self, event_id: str) -> None:
        """The next distribution lacks it."""
        events = self._server.events[VEN_ID]
        events[:] = [event for event in events if _id(event) != event_id]
        self._server.events_updated[VEN_ID] = True

    def forget(self) -> None:
        """As if it had lost its books: it asks the VEN to register again."""
        self._registration_id = None


def _id(event: Any) -> str:
    return str(event.event_descriptor.event_id)


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # it prints banners
        asyncio.run(Vtn(json.loads(sys.argv[1])).run())
