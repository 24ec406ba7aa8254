"""One CSIP procedure: a simulated server and our whole client, until all of it has been seen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from contracts.identity import sep2_client_context
from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FrequencyDroop,
    InverterFunction,
)
from contracts.sep2.codec import MEDIA_TYPE
from contracts.site_link.messages import Notice, Severity, VehicleReadiness
from contracts.time import Clock
from gateway.domain.operating_envelope import FREE, OperatingEnvelope, SiteBounds
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator
from gateway.utility.sep2.inverter_modes import INVERTER_MODES
from gateway.utility.sep2.settings import Sep2Settings
from support.openadr import RecordingIntake
from support.sep2_acting import Sites
from support.sep2_cases import Case, Certificates
from vtn_sim.judge import Outcome
from vtn_sim.sep2.assessment import shortcomings
from vtn_sim.sep2.court import Court
from vtn_sim.sep2.modes import FreqDroopSpec, PowerFactorSpec
from vtn_sim.sep2.procedures import EVERYONE, Moment
from vtn_sim.sep2.server import Sep2Server
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.sep2.spec import CurveSpec

PIN = 111_115
RATED_W = 100_000.0
MARGIN_S = 3.0
"""Events begin on whole seconds, clocks are told in whole seconds, and answers take a moment."""
GRACE_S = 6.0
"""So much longer something missing is waited for."""


class Recorder:
    """`EnvelopeIntake` that knows later what was imposed when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._imposed: dict[str, list[tuple[datetime, OperatingEnvelope]]] = {}

    async def impose(self, envelope: OperatingEnvelope) -> None:
        self._imposed.setdefault(envelope.site_id, []).append((self._clock.now(), envelope))

    def at(self, site_id: str, instant: datetime) -> SiteBounds:
        """What bound a site at an instant of the past."""
        known = [one for at, one in self._imposed.get(site_id, ()) if at <= instant]
        step = known[-1].at(instant) if known else None
        return FREE if step is None else step.bounds


class _Memory:
    """`UtilityMemory` for as long as it lasts."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], dict[str, object]] = {}

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        return self._documents.get((utility_id, kind), {})

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        self._documents.setdefault((utility_id, kind), {})[key] = document

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        self._documents.get((utility_id, kind), {}).pop(key, None)


@dataclass(frozen=True)
class Result:
    """What came of a case; no faults: passed."""

    faults: Sequence[str]
    started_at_s: float
    lasted_s: float


class Run:
    """One procedure with our client."""

    def __init__(self, case: Case, certificates: Certificates, clock: Clock) -> None:
        self.case = case
        self.procedure = case.procedure
        self.clock = clock
        self._pki = certificates.pki(self.procedure.tls.chain)
        self._shown = certificates.server(self.procedure)
        self.server = Sep2Server(self._server_settings(), self.clock)
        self.recorder = Recorder(self.clock)
        self.sites = Sites()
        self.contact_at = self.clock.now()
        self.faults: list[str] = []
        self._notification_uri = ""
        self._reserved = _reserved()

    async def play(self) -> Result:
        """Run both sides until everything has been seen, or nothing more will be."""
        begun, port = self.clock.monotonic(), asyncio.Future[int]()
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(self.server.run(asyncio.Event(), port.set_result))
            client = self._client(await port)
            running = tasks.create_task(client.run())
            await self._taken_up(client)
            async with asyncio.TaskGroup() as extras:
                extras.create_task(self._raise_notices())
                extras.create_task(self._notify())
                extras.create_task(self._sleep_until(self.procedure.lasts_s() + MARGIN_S))
            await self._until(lambda: not self._missed(), GRACE_S)
            running.cancel()
            serving.cancel()
        self._reserved.close()
        self.faults += [*self._missed(), *self._judged(), *self._not_in_force()]
        lasted_s = self.clock.monotonic() - begun
        return Result(faults=self.faults, started_at_s=begun, lasted_s=lasted_s)

    async def _taken_up(self, client: Sep2Aggregator) -> None:
        """The client has found its way, or turned the server away."""
        if not self.procedure.expect.admitted:
            await self._until(lambda: "certificate" in client.health.detail.lower())
            if "certificate" not in client.health.detail.lower():
                self.faults.append(f"not refused for its certificate: {client.health.detail}")
            return
        await self._until(self.server.utility.first_contact.is_set)
        self.contact_at = self.clock.now()
        await self._until(lambda: client.health.connected)
        if not client.health.connected:
            self.faults.append(f"not connected: {client.health.detail}")

    async def _sleep_until(self, after_s: float) -> None:
        """So long after the first contact."""
        due = self.contact_at + timedelta(seconds=after_s)
        await self.clock.sleep(max((due - self.clock.now()).total_seconds(), 0.0))

    async def _until(self, condition: Callable[[], bool], within_s: float = 20.0) -> None:
        last_s = self.clock.monotonic() + within_s
        while not condition() and self.clock.monotonic() < last_s:
            await self.clock.sleep(0.1)

    # --- both sides ----------------------------------------------------------------------------

    def _server_settings(self) -> Sep2ServerSettings:
        base = Sep2ServerSettings.model_validate(
            {
                "cert_file": self._shown.cert,
                "key_file": self._shown.key,
                "ca_file": self._pki.ca,
                "aggregators": [{"name": "aggregator", "certificate": self._pki.aggregator.cert}],
                "judge": {"received_within_s": 3, "response_within_s": 4},
            }
        )
        return self.procedure.settings(base)

    def _client(self, port: int) -> Sep2Aggregator:
        if self.case.measured:
            for label in self.procedure.lfdis:
                self.sites.has(_site(label), self.clock.now(), online=True, **_READINGS)
        own = self._pki.aggregator
        fields = {
            "utility_id": "utility",
            "url": f"https://127.0.0.1:{port}/dcap",
            "ca": self._pki.ca,
            "cert": own.cert,
            "key": own.key,
            "displaced_code": self.case.displaced_code,
            "devices": [self._device(label, lfdi) for label, lfdi in self.procedure.lfdis.items()],
            "listener": self._listener() if self.case.listener else None,
            "max_backoff_s": 2,
            "timeout_s": 60,  # of real time, on a machine that may be busy
        }
        ports = Sep2Ports(
            envelopes=self.recorder,
            events=RecordingIntake(),
            usage=self.sites,
            states=self.sites,
            readiness=_no_vehicles,
            memory=_Memory(),
        )
        return Sep2Aggregator(Sep2Settings.model_validate(fields), ports, self.clock)

    def _device(self, label: str, lfdi: str) -> dict[str, object]:
        return {
            "lfdi": lfdi,
            "pin": PIN,
            "sites": [_site(label)],
            "inverter_modes": sorted(INVERTER_MODES) if self.case.inverters else [],
            "ratings": {
                "rtg_max_w": RATED_W,
                "rtg_max_charge_rate_w": RATED_W,
                "rtg_max_discharge_rate_w": RATED_W,
                "rtg_max_va": RATED_W,
                "rtg_max_wh": 200_000.0,
            },
        }

    def _listener(self) -> dict[str, object]:
        port, own = self._reserved.getsockname()[1], self._pki.aggregator
        self._notification_uri = f"https://127.0.0.1:{port}/notifications"
        return {
            "host": "127.0.0.1",
            "port": port,
            "url": self._notification_uri,
            "cert": own.cert,
            "key": own.key,
        }

    # --- what else happens ---------------------------------------------------------------------

    async def _raise_notices(self) -> None:
        if not self.case.notices:
            return
        await self._sleep_until(7)
        site = _site(next(iter(self.procedure.lfdis)))
        for number in range(self.case.notices):
            notice = Notice(
                at=self.clock.now(),
                code="charger-offline",
                subject=f"charger-{number + 1}",
                severity=Severity.WARNING,
                raised=True,
                text="cannot be reached",
            )
            self.sites.told.append((site, notice))

    async def _notify(self) -> None:
        """Post Notifications by hand, as the server would."""
        if not self.case.notifications:
            return
        tls = sep2_client_context(self._pki.ca, self._shown.cert, self._shown.key)
        async with httpx.AsyncClient(verify=tls, trust_env=False) as http:
            for one in self.case.notifications:
                await self._sleep_until(one.after_s)
                body = one.body.replace("{prefix}", self.server.utility.hrefs.prefix)
                headers = {"Content-Type": MEDIA_TYPE}
                answer = await http.post(self._notification_uri, content=body, headers=headers)
                if answer.status_code != one.answer:
                    self.faults.append(f"{body[:60]!r} answered {answer.status_code}")

    # --- what came of it -----------------------------------------------------------------------

    def _missed(self) -> list[str]:
        utility, exchanges = self.server.utility, self.server.exchanges
        return shortcomings(self.procedure, utility, exchanges, refused=self.case.refused)

    def _judged(self) -> Iterator[str]:
        """The judge works out by itself what should have happened to each event."""
        court = Court(self.server.utility, self.server.exchanges)
        for event in self.server.utility.controls.all():
            answering = self.procedure.expect.answers(event.name)
            for verdict in court.verdicts(event.name):
                silent = not {EVERYONE, verdict.device} & answering.keys() and not verdict.codes
                if verdict.outcome is Outcome.FAIL and not silent:
                    yield verdict.text

    def _not_in_force(self) -> Iterator[str]:
        for name, moments in self.procedure.expect.in_force.items():
            for label in self.procedure.lfdis if name == EVERYONE else (name,):
                for moment in moments:
                    yield from self._differences(label, moment)

    def _differences(self, label: str, moment: Moment) -> Iterator[str]:
        instant = self._instant(moment)
        found = _in_force(self.recorder.at(_site(label), instant), self._curves())
        for mode, listed in moment.modes.items():
            value = None if "*" in self.case.refused else listed
            if found.get(mode) != value:
                where = f"{moment.event or 'first contact'} {moment.after_s:+g} s"
                yield f"{label} at {where}: {mode} is {found.get(mode)}, not {value}"

    def _curves(self) -> Sequence[CurveSpec]:
        return [curve for program in self.procedure.sep2.programs for curve in program.curves]

    def _instant(self, moment: Moment) -> datetime:
        """By our clock."""
        start = self.contact_at
        if moment.event is not None:
            shift = timedelta(seconds=self.server.utility.clock.shift_s)
            start = self.server.utility.controls.get(moment.event).start - shift
        return start + timedelta(seconds=moment.after_s)


_READINGS: dict[str, float] = {
    "pcc_power_w": 40_000.0,
    "charging_power_w": 50_000.0,
    "battery_power_w": -20_000.0,
    "battery_soc_pct": 60.0,
    "pv_power_w": -10_000.0,
    "flex_down_w": 30_000.0,
}


async def _no_vehicles(site_id: str) -> Sequence[VehicleReadiness]:
    del site_id
    return []


def _site(label: str) -> str:
    return f"depot-{label.lower()}"


def _in_force(bounds: SiteBounds, curves: Sequence[CurveSpec]) -> Mapping[str, object]:
    """Bounds in the words of the standard; every base is `RATED_W`, a curve goes by its name."""
    found: dict[str, object] = {}
    if bounds.generation_limit_w is not None:
        found["opModMaxLimW"] = round(-bounds.generation_limit_w / RATED_W * 100, 6)
    if bounds.storage_power_w is not None:
        found["opModFixedW"] = round(-bounds.storage_power_w / RATED_W * 100, 6)
    if bounds.energize is not None:
        found["opModEnergize"] = bounds.energize
    return found | dict(_followed(one, curves) for one in bounds.inverter_functions)


_CURVE_MODES = {
    CurveKind.VOLT_VAR: "opModVoltVar",
    CurveKind.VOLT_WATT: "opModVoltWatt",
    CurveKind.HV_MUST_TRIP: "opModHVRTMustTrip",
    CurveKind.LV_MUST_TRIP: "opModLVRTMustTrip",
    CurveKind.HF_MUST_TRIP: "opModHFRTMustTrip",
    CurveKind.LF_MUST_TRIP: "opModLFRTMustTrip",
}


def _followed(one: InverterFunction, curves: Sequence[CurveSpec]) -> tuple[str, object]:
    match one:
        case Curve():
            mode = _CURVE_MODES[one.kind]
            return mode, next((spec.name for spec in curves if _is(one, spec, mode)), one)
        case FixedPowerFactor():
            spec = PowerFactorSpec(power_factor=one.power_factor, absorbs=one.absorbs_var)
            return "opModFixedPFInjectW", spec
        case FrequencyDroop():
            return "opModFreqDroop", FreqDroopSpec(
                over_hz=one.over_dead_band_hz,
                under_hz=one.under_dead_band_hz,
                over_slope=one.over_slope,
                under_slope=one.under_slope,
                open_loop_s=one.response_s,
            )
        case _:
            return "opModFixedVar", one


def _is(curve: Curve, spec: CurveSpec, mode: str) -> bool:
    """Whether the site got what the utility has, point by point."""
    times = 10.0**spec.x_multiplier, 10.0**spec.y_multiplier
    wanted = [(x * times[0], y * times[1]) for x, y in spec.points]
    found = [(round(point.x, 6), round(point.y, 6)) for point in curve.points]
    same = found == [(round(x, 6), round(y, 6)) for x, y in wanted]
    return spec.mode == mode and same and curve.response_s == spec.open_loop_s


def _reserved() -> socket.socket:
    """A free port that nobody else is given as long as this is open, and we can listen on."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
