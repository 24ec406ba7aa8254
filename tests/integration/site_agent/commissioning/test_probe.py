"""Who is there: devices found on real sockets, and why nobody is found."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.config import loads
from contracts.identity import server_context
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings
from site_agent.devices.commissioning import sunspec_survey
from site_agent.devices.commissioning.capture import Capture, Device, Recorder, load
from site_agent.devices.commissioning.found import Found, Nature
from site_agent.devices.commissioning.probe import (
    NobodyThereError,
    Outcome,
    SameAgain,
    Silent,
    Stranger,
    probe,
    usual_units,
    within,
)
from site_agent.devices.commissioning.profile_survey import surveys
from site_agent.devices.commissioning.read_only import ReadOnlyLink, running
from site_agent.devices.commissioning.replay import Lookup, answer_to, serving
from site_agent.devices.commissioning.settings_block import settings_block
from site_agent.devices.modbus.settings import LinkSettings, SerialLine, TlsFiles
from site_agent.devices.profiles.library import catalog
from support import raw_modbus
from support.commissioning import works
from support.raw_modbus import Peer, Wire
from support.sunspec_image import common, image, model, vendor

CAPTURES = Path(__file__).parents[3] / "captures"
CLOCK = SystemClock()
Guest = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["plant"], hosts=["127.0.0.1"])


async def asked(settings: LinkSettings, units: Sequence[int]) -> list[Outcome]:
    """What a probe says of these units."""
    link = ReadOnlyLink(settings, CLOCK)
    known = (sunspec_survey.survey, *surveys(catalog().values(), CLOCK))
    async with running(link):
        return [one async for one in probe(link, units, CLOCK, known)]


def at(port: int, timeout_s: float = 5.0) -> LinkSettings:
    return LinkSettings(host="127.0.0.1", port=port, timeout_s=timeout_s)


async def trouble(settings: LinkSettings, units: Sequence[int] = (1,)) -> NobodyThereError:
    """Why nobody is there."""
    with pytest.raises(ExceptionGroup) as caught:
        await asked(settings, units)
    (error,) = caught.value.exceptions
    assert isinstance(error, NobodyThereError)
    return error


def captured(registers: dict[int, int]) -> Capture:
    recorder = Recorder()
    for address, word in registers.items():
        recorder.read(1, 3, address, [word])
    return recorder.capture(AT, device=Device())


# --- devices --------------------------------------------------------------------------------------


async def test_every_device_of_a_depot_is_found_and_its_settings_fit(tmp_path: Path) -> None:
    async with works(tmp_path) as depot:
        where = depot.depot.addresses
        places = {
            Nature.METER: where.meter,
            Nature.BATTERY: where.batteries["bess"],
            Nature.PV: where.pv["roof"],
        }
        blocks = []
        for nature, place in places.items():
            (found,) = await asked(at(place.port), [1])
            assert isinstance(found, Found)
            assert found.nature is nature
            assert found.identity.manufacturer == "Gridyard"
            there = ModbusSettings(host=place.host, port=place.port)
            block = settings_block(found, there)
            assert block is not None
            blocks.append(block)
    site = "site_id: s\ndata: ./d\ncontract_limit_w: 50000\nmax_building_w: 0\n"
    site += "circuit: {limit_a: 100}\n" + "".join(blocks)
    settings = loads(site, SiteSettings, name="pasted")
    assert settings.batteries[0].capacity_wh == 60_000
    assert settings.batteries[0].max_charge_w == 30_000
    assert settings.pv[0].rated_w == 30_000


async def test_a_device_is_known_by_its_profile() -> None:
    capture = load(CAPTURES / "carlo-gavazzi.em540.json")
    async with serving(capture) as (_, port):
        (found,) = await asked(at(port), [1])
    assert isinstance(found, Found)
    assert (found.profile, found.nature) == ("carlo-gavazzi.em540", Nature.METER)
    values = {point.name: point.value for group in found.groups for point in group.points}
    assert values["active_power"] == pytest.approx(-446.6)
    block = settings_block(found, ModbusSettings(host="192.0.2.1"))
    assert block is not None
    assert "profile: carlo-gavazzi.em540" in block


async def test_a_device_that_does_not_look_at_the_unit_is_shown_once() -> None:
    capture = captured(image(common(), model(203, W=100, W_SF=0)))
    async with serving(capture, any_unit=1) as (_, port):
        first, second = await asked(at(port), [5, 6, 7, 8])
    assert isinstance(first, Found)
    assert second == SameAgain(6, 5)


async def test_a_device_without_a_serial_number_that_does_not_look_at_the_unit_is_shown_once() -> (
    None
):
    async with serving(load(CAPTURES / "carlo-gavazzi.em540.json"), any_unit=1) as (_, port):
        first, second = await asked(at(port), [5, 6, 7, 8])
    assert isinstance(first, Found)
    assert first.identity.serial is None
    assert second == SameAgain(6, 5)


async def test_two_devices_of_a_kind_behind_a_gateway_are_two() -> None:
    capture = load(CAPTURES / "carlo-gavazzi.em540.json")
    (meter,) = capture.units
    pair = capture.model_copy(update={"units": (meter, meter.model_copy(update={"unit": 2}))})
    async with serving(pair) as (_, port):
        found = await asked(at(port, timeout_s=0.5), [1, 2])
    assert [one.unit for one in found if isinstance(one, Found)] == [1, 2]


async def test_units_that_are_silent_are_passed_over() -> None:
    capture = captured(image(common(), model(203, W=100, W_SF=0)))
    async with serving(capture) as (_, port):
        silent, found = await asked(at(port, timeout_s=0.2), [9, 1])
    assert isinstance(silent, Silent)
    assert isinstance(found, Found)


async def test_what_the_device_does_not_tell_is_left_for_a_person() -> None:
    capture = captured(image(common(), model(103, W=100, W_SF=0), vendor()))
    async with serving(capture) as (_, port):
        (found,) = await asked(at(port), [1])
    assert isinstance(found, Found)
    assert found.ratings == {}
    block = settings_block(found, ModbusSettings(host="192.0.2.1"))
    assert block is not None
    assert "rated_w:  # not told by the device" in block


async def test_a_stranger_is_no_device_but_answers() -> None:
    async with serving(captured({0: 1, 1: 2})) as (_, port):
        (found,) = await asked(at(port), [1])
    assert isinstance(found, Stranger)
    assert "no profile" in found.why


def test_broadcast_and_reserved_ids_are_not_asked_on_a_serial_line() -> None:
    line = ReadOnlyLink(LinkSettings(serial=SerialLine(device="/dev/null")), CLOCK)
    assert within([0, 1, 1, 247, 248], line) == (1, 247)
    assert 0 not in usual_units(line)
    assert 0 in usual_units(ReadOnlyLink(at(502), CLOCK))


# --- nobody ---------------------------------------------------------------------------------------


async def test_a_closed_port_is_called_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await trouble(at(free.getsockname()[1]))
    assert "refuses connections" in error.trouble.what
    assert "installer" in error.trouble.hint


async def test_a_name_nobody_has() -> None:
    error = await trouble(LinkSettings(host="no body", timeout_s=5.0))
    assert "no known name" in error.trouble.what


async def test_a_mute_peer_is_told_from_a_closed_port() -> None:
    peer = Peer(Wire.TCP, otherwise=raw_modbus.silently)
    async with raw_modbus.serving(peer):
        error = await trouble(at(peer.port, timeout_s=0.2))
    assert "answers no unit" in error.trouble.what
    assert "--framing rtu" in error.trouble.hint


async def test_a_peer_that_hangs_up_may_have_another_client() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(hang_up) as port:
        error = await trouble(at(port, timeout_s=1.0))
    assert "closes them" in error.trouble.what
    assert "one client" in error.trouble.hint


async def test_a_peer_in_tls_is_called_so(pki: Pki) -> None:
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    peer = Peer(Wire.TLS)
    async with raw_modbus.serving(peer, context):
        error = await trouble(at(peer.port))
    assert "speaks TLS" in error.trouble.what
    assert "--ca" in error.trouble.hint


async def test_tls_where_none_is_spoken(pki: Pki) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with listening(hang_up) as port:
        settings = LinkSettings(host="127.0.0.1", port=port, tls=keys(pki), timeout_s=5.0)
        error = await trouble(settings)
    assert "does not speak TLS" in error.trouble.what
    assert "leave out --ca" in error.trouble.hint


async def test_a_certificate_nobody_vouches_for(
    pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_test_pki(tmp_path_factory.mktemp("other"), sites=["plant"], hosts=["127.0.0.1"])
    context = server_context(other.broker.cert, other.broker.key, other.site_ca)
    peer = Peer(Wire.TLS)
    async with raw_modbus.serving(peer, context):
        error = await trouble(peer.settings(keys(pki), 5.0))
    assert "not trusted" in error.trouble.what


async def test_a_serial_device_that_is_not_there() -> None:
    line = SerialLine(device="/dev/serial/by-id/nothing")
    error = await trouble(LinkSettings(serial=line, timeout_s=0.2))
    assert "does not exist" in error.trouble.what


async def test_what_is_no_serial_line_does_not_stop_the_loop(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    line = SerialLine(device=str(tmp_path / "pipe"))
    error = await trouble(LinkSettings(serial=line, timeout_s=0.2))
    assert "nobody answers on" in error.trouble.what


async def test_nobody_on_a_serial_line() -> None:
    peer = Peer(Wire.SERIAL, otherwise=raw_modbus.silently)
    async with raw_modbus.serving(peer):
        error = await trouble(peer.settings())
    assert "parity" in error.trouble.hint


@asynccontextmanager
async def listening(guest: Guest) -> AsyncIterator[int]:
    server = await asyncio.start_server(guest, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def keys(pki: Pki) -> TlsFiles:
    plant = pki.sites["plant"]
    return TlsFiles(ca=pki.site_ca, cert=plant.cert, key=plant.key)


# --- hostile --------------------------------------------------------------------------------------


@pytest.mark.row("trap:M10")
@pytest.mark.parametrize(
    "answer",
    [
        raw_modbus.claiming_a_huge_length,
        raw_modbus.cut_and_hang_up,
        raw_modbus.one_register_short,
        raw_modbus.as_another_unit,
        raw_modbus.garbage(b"\xff" * 300),
        raw_modbus.garbage(b"\x15\x03\x01\x00\x02\x02\x28"),
        raw_modbus.refusing(0x0B),
        raw_modbus.refusing(0xFF),
    ],
)
@pytest.mark.parametrize("wire", [Wire.TCP, Wire.RTU_TCP])
async def test_nonsense_is_nobody(wire: Wire, answer: raw_modbus.Answer) -> None:
    peer = Peer(wire, otherwise=answer)
    outcomes: list[Outcome] = []
    async with raw_modbus.serving(peer):
        with suppress_nobody():
            outcomes = await asked(peer.settings(timeout_s=0.2), [1])
    assert not [one for one in outcomes if isinstance(one, Found)]
    assert peer.seen


@contextmanager
def suppress_nobody() -> Iterator[None]:
    try:
        yield
    except* NobodyThereError:
        pass


async def test_a_list_of_models_without_end_is_a_stranger() -> None:
    """Every register holds its own address, but for the marker: model after model."""

    async def endless(request: raw_modbus.Request) -> None:
        words = [0x5375, 0x6E53] if request.address == 40000 else [3] * request.count
        body = b"".join(word.to_bytes(2, "big") for word in words[: request.count])
        request.send(bytes([3, len(body)]) + body)

    peer = Peer(Wire.TCP, otherwise=endless)
    async with raw_modbus.serving(peer):
        (outcome,) = await asked(peer.settings(timeout_s=5.0), [1])
    assert isinstance(outcome, Stranger)
    assert len(peer.seen) < 1000


def test_no_way_to_write_is_left_open() -> None:
    """Whatever a register link can write, one for commissioning refuses."""
    names = [name for name in dir(ReadOnlyLink) if name.startswith("write")]
    assert names
    assert all(name in vars(ReadOnlyLink) for name in names)


# --- wires ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", list(Wire))
async def test_a_device_is_found_on_every_wire(wire: Wire, pki: Pki) -> None:
    lookup = Lookup(captured(image(common(), model(203, W=100, W_SF=0))))

    async def answer(request: raw_modbus.Request) -> None:
        request.send(answer_to(lookup, request.unit, request.pdu))

    peer = Peer(wire, otherwise=answer)
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    async with raw_modbus.serving(peer, context):
        # On a serial line the first request waits for a whole timeout.
        patience_s = 2.0 if wire is Wire.SERIAL else 5.0
        (found,) = await asked(peer.settings(keys(pki), patience_s), [1])
    assert isinstance(found, Found)
    assert found.nature is Nature.METER
