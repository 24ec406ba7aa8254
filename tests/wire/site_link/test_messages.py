"""The site link, version 1, byte for byte: a change here breaks sites in the field."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError, ProtocolError
from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    Inverters,
    Point,
    Reference,
)
from contracts.reading import Quality
from contracts.site_link import codec, subjects
from contracts.site_link.messages import (
    MAX_BATCH_ROWS,
    Batch,
    BatchAck,
    Credentials,
    Fallback,
    Hello,
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
    InstructionStep,
    Measurement,
    Message,
    Notice,
    NumberedRow,
    Refusal,
    Renew,
    Severity,
    VehicleReadiness,
    Welcome,
)

T = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

INSTRUCTION = Instruction(
    instruction_id="i-1",
    site_id="depot-1",
    site_seq=7,
    event_id="util/e1",
    program_id="p",
    issued_at=T,
    start=T,
    expires_at=T + timedelta(hours=1),
    steps=(InstructionStep(start=T, end=T + timedelta(minutes=30), import_limit_w=50_000.0),),
    fallback=Fallback(),
    cause="fair share",
)

EVERYTHING = replace(
    INSTRUCTION,
    instruction_id="i-2",
    site_seq=8,
    event_id="grid/doe",
    steps=(
        InstructionStep(
            start=T,
            end=T + timedelta(minutes=30),
            import_limit_w=50_000.0,
            export_limit_w=0.0,
            load_limit_w=30_000.0,
            generation_limit_w=-20_000.0,
            storage_power_w=-5_000.0,
            energize=True,
            inverter_functions=(
                Curve(
                    kind=CurveKind.VOLT_VAR,
                    points=(Point(x=92.0, y=44.0), Point(x=98.0, y=0.0)),
                    reference=Reference.MAX_VAR,
                    response_s=5.0,
                ),
                FixedPowerFactor(
                    power_factor=0.95,
                    absorbs_var=True,
                    while_="injecting",
                    on=Inverters.GENERATION,
                ),
                FixedVar(percent=-20.0, reference=Reference.MAX_W, on=Inverters.STORAGE),
                FrequencyDroop(
                    over_dead_band_hz=0.03,
                    under_dead_band_hz=0.03,
                    over_slope=0.05,
                    under_slope=0.04,
                    response_s=5.0,
                ),
            ),
        ),
    ),
    fallback=Fallback(
        import_limit_w=40_000.0,
        export_limit_w=-1_500.0,
        load_limit_w=0.0,
        generation_limit_w=0.0,
        storage_power_w=0.0,
        energize=False,
    ),
    standing=True,
    cause="",
)

GOLDEN: list[tuple[Message, str]] = [
    (
        Hello(
            site_id="depot-1",
            epoch="e",
            versions=(1,),
            last_instruction_seq=6,
            outbox_head=120,
            agent_version="0.1.0",
            sent_at=T,
        ),
        '{"kind":"hello","site_id":"depot-1","epoch":"e","versions":[1],"last_instruction_seq":6,'
        '"outbox_head":120,"agent_version":"0.1.0","sent_at":"2026-11-21T12:00:00Z",'
        '"prices_id":null,"configuration":null}',
    ),
    (
        Batch(
            site_id="depot-1",
            epoch="e",
            rows=(
                NumberedRow(
                    seq=1,
                    row=Measurement(at=T, point="pcc_power_w", value=-1.5, quality=Quality.GOOD),
                ),
                NumberedRow(
                    seq=2,
                    row=InstructionStatus(
                        at=T,
                        instruction_id="i-1",
                        event_id="util/e1",
                        state=InstructionState.APPLIED,
                    ),
                ),
                NumberedRow(
                    seq=3,
                    row=Notice(
                        at=T,
                        code="charger-offline",
                        subject="N3",
                        severity=Severity.WARNING,
                        raised=True,
                        text="N3 does not answer",
                    ),
                ),
                NumberedRow(
                    seq=4,
                    row=VehicleReadiness(
                        at=T,
                        vehicle_id="van-1",
                        evse_id="N1",
                        soc_pct=40.0,
                        required_wh=12_000.0,
                        departure=T,
                        on_track=True,
                    ),
                ),
            ),
            sent_at=T,
        ),
        '{"kind":"batch","site_id":"depot-1","epoch":"e","rows":['
        '{"seq":1,"row":{"kind":"measurement","at":"2026-11-21T12:00:00Z","point":"pcc_power_w",'
        '"value":-1.5,"quality":"good"}},'
        '{"seq":2,"row":{"kind":"instruction_status","at":"2026-11-21T12:00:00Z",'
        '"instruction_id":"i-1","event_id":"util/e1","state":"applied","reason":""}},'
        '{"seq":3,"row":{"kind":"notice","at":"2026-11-21T12:00:00Z","code":"charger-offline",'
        '"subject":"N3","severity":"warning","raised":true,"text":"N3 does not answer"}},'
        '{"seq":4,"row":{"kind":"vehicle_readiness","at":"2026-11-21T12:00:00Z",'
        '"vehicle_id":"van-1","evse_id":"N1","soc_pct":40.0,"required_wh":12000.0,'
        '"departure":"2026-11-21T12:00:00Z","on_track":true,"reason":"",'
        '"outlook":"","since":null,"ready_at":null,"missing_wh":0.0,"late_by_s":0.0,"helps":"",'
        '"here":true}}],'
        '"sent_at":"2026-11-21T12:00:00Z","health":null}',
    ),
    (
        Welcome(version=1, gateway_time=T),
        '{"kind":"welcome","version":1,"gateway_time":"2026-11-21T12:00:00Z","rows":[]}',
    ),
    (
        BatchAck(epoch="e", seq=4, gateway_time=T),
        '{"kind":"batch_ack","epoch":"e","seq":4,"gateway_time":"2026-11-21T12:00:00Z"}',
    ),
    (Refusal(reason="no"), '{"kind":"refusal","reason":"no"}'),
    (
        INSTRUCTION,
        '{"kind":"instruction","instruction_id":"i-1","site_id":"depot-1","site_seq":7,'
        '"event_id":"util/e1","program_id":"p","issued_at":"2026-11-21T12:00:00Z",'
        '"start":"2026-11-21T12:00:00Z","expires_at":"2026-11-21T13:00:00Z","steps":['
        '{"import_limit_w":50000.0,"export_limit_w":null,"load_limit_w":null,'
        '"generation_limit_w":null,"storage_power_w":null,"energize":null,"inverter_functions":[],'
        '"start":"2026-11-21T12:00:00Z","end":"2026-11-21T12:30:00Z"}],'
        '"fallback":{"import_limit_w":null,"export_limit_w":null,"load_limit_w":null,'
        '"generation_limit_w":null,"storage_power_w":null,"energize":null,"inverter_functions":[]},'
        '"test":false,"standing":false,"cause":"fair share"}',
    ),
    (
        EVERYTHING,
        '{"kind":"instruction","instruction_id":"i-2","site_id":"depot-1","site_seq":8,'
        '"event_id":"grid/doe","program_id":"p","issued_at":"2026-11-21T12:00:00Z",'
        '"start":"2026-11-21T12:00:00Z","expires_at":"2026-11-21T13:00:00Z","steps":['
        '{"import_limit_w":50000.0,"export_limit_w":0.0,"load_limit_w":30000.0,'
        '"generation_limit_w":-20000.0,"storage_power_w":-5000.0,"energize":true,"inverter_functions":['
        '{"function":"curve","kind":"volt_var","points":[{"x":92.0,"y":44.0},{"x":98.0,"y":0.0}],'
        '"reference":"max_var","response_s":5.0,"reference_voltage_pct":null,'
        '"autonomous_reference_s":null,"on":"all"},'
        '{"function":"power_factor","power_factor":0.95,"absorbs_var":true,'
        '"while_":"injecting","on":"generation"},'
        '{"function":"fixed_var","percent":-20.0,"reference":"max_w","var":null,"on":"storage"},'
        '{"function":"frequency_droop","over_dead_band_hz":0.03,"under_dead_band_hz":0.03,'
        '"over_slope":0.05,"under_slope":0.04,"response_s":5.0,"on":"all"}],'
        '"start":"2026-11-21T12:00:00Z","end":"2026-11-21T12:30:00Z"}],'
        '"fallback":{"import_limit_w":40000.0,"export_limit_w":-1500.0,"load_limit_w":0.0,'
        '"generation_limit_w":0.0,"storage_power_w":0.0,"energize":false,"inverter_functions":[]},'
        '"test":false,"standing":true,"cause":""}',
    ),
    (
        Renew(
            site_id="depot-1",
            csr="-----BEGIN CERTIFICATE REQUEST-----\n",
            user_key="U" + "A" * 55,
            sent_at=T,
        ),
        '{"kind":"renew","site_id":"depot-1","csr":"-----BEGIN CERTIFICATE REQUEST-----\\n",'
        '"user_key":"U' + "A" * 55 + '","sent_at":"2026-11-21T12:00:00Z"}',
    ),
    (
        Credentials(
            site_id="depot-1",
            ca="-----BEGIN CERTIFICATE-----\n",
            certificate="-----BEGIN CERTIFICATE-----\n",
            jwt="a.b.c",
            until=T,
        ),
        '{"kind":"credentials","site_id":"depot-1","ca":"-----BEGIN CERTIFICATE-----\\n",'
        '"certificate":"-----BEGIN CERTIFICATE-----\\n","jwt":"a.b.c",'
        '"until":"2026-11-21T12:00:00Z"}',
    ),
    (
        InstructionAck(instruction_id="i-1", state=InstructionState.STORED, at=T),
        '{"kind":"instruction_ack","instruction_id":"i-1","state":"stored","reason":"",'
        '"at":"2026-11-21T12:00:00Z"}',
    ),
]


@pytest.mark.parametrize(("message", "text"), GOLDEN, ids=[type(m).__name__ for m, _ in GOLDEN])
def test_golden(message: Message, text: str) -> None:
    assert codec.encode(message).decode() == text
    assert codec.decode(text.encode()) == message


def test_an_older_peer_says_less() -> None:
    welcome = '{"kind":"welcome","version":1,"gateway_time":"2026-11-21T12:00:00Z"}'
    assert codec.decode(welcome.encode()) == Welcome(version=1, gateway_time=T)
    batch = next(one for one, _ in GOLDEN if isinstance(one, Batch))
    told = json.loads(codec.encode(batch))
    later = ("outlook", "since", "ready_at", "missing_wh", "late_by_s", "helps", "here")
    for numbered in told["rows"]:
        if numbered["row"]["kind"] == "vehicle_readiness":
            numbered["row"] = {k: v for k, v in numbered["row"].items() if k not in later}
    assert codec.decode(json.dumps(told).encode()) == batch


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(codec.encode(INSTRUCTION)), **changes}).encode()


def test_a_newer_peer_may_add_fields() -> None:
    assert codec.decode(changed(colour="blue")) == INSTRUCTION


def test_an_older_gateway_bounds_import_and_export_only() -> None:
    step = {
        "start": "2026-11-21T12:00:00Z",
        "end": "2026-11-21T12:30:00Z",
        "import_limit_w": 50_000.0,
        "export_limit_w": None,
    }
    fallback = {"import_limit_w": None, "export_limit_w": None}
    assert codec.decode(changed(steps=[step], fallback=fallback)) == INSTRUCTION


def bounded(**bounds: Any) -> bytes:
    return changed(fallback=bounds)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"kind":"instruction"', "JSON"),
        (b"[" * 100_000, "JSON"),
        (changed(kind="firmware"), "kind"),
        (changed(site_seq=0), "site_seq"),
        (changed(issued_at="2026-11-21T12:00:00"), "issued_at"),
        (changed(steps=[{}] * 501), "steps"),
        (changed(steps=[{"start": "x"}]), "steps/0/start"),
        (bounded(load_limit_w=-1.0), "fallback/load_limit_w.*greater than or equal to 0"),
        (bounded(load_limit_w=1e10), "fallback/load_limit_w"),
        (bounded(generation_limit_w=1.0), "fallback/generation_limit_w.*less than or equal to 0"),
        (bounded(storage_power_w="much"), "fallback/storage_power_w"),
        (bounded(energize=0), "fallback/energize"),
        (changed(cause="x" * 501), "cause"),
        (b" " * (codec.MAX_MESSAGE_BYTES + 1), "limit"),
    ],
    ids=[
        "empty",
        "not utf-8",
        "cut",
        "deep",
        "unknown kind",
        "seq 0",
        "naive time",
        "too many steps",
        "bad step",
        "negative load",
        "too much load",
        "positive generation",
        "storage by word",
        "energize by number",
        "long text",
        "too large",
    ],
)
def test_nonsense_is_refused_with_the_place_of_the_fault(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        codec.decode(data)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e16"])
def test_a_measurement_is_a_finite_number(value: str) -> None:
    row = f'{{"kind":"measurement","at":"2026-11-21T12:00:00Z","point":"p","value":{value},'
    with pytest.raises(ProtocolError):
        codec.decode_row(1, row.encode() + b'"quality":"good"}')


def test_a_batch_is_bounded() -> None:
    row = NumberedRow(seq=1, row=Measurement(at=T, point="p", value=1.0, quality=Quality.GOOD))
    batch = Batch(site_id="s", epoch="e", rows=(row,) * (MAX_BATCH_ROWS + 1), sent_at=T)
    with pytest.raises(ProtocolError, match="rows"):
        codec.decode(codec.encode(batch))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"\S"):
        codec.decode(data)


@pytest.mark.parametrize("site_id", ["*", ">", "a.b", "A", "", "a b", "x" * 41, "é"])
def test_an_id_that_could_widen_a_subject_never_gets_into_one(site_id: str) -> None:
    with pytest.raises(PermanentError, match="site id"):
        subjects.up(site_id, subjects.HELLO)


def test_subjects_name_site_and_direction() -> None:
    assert subjects.up("depot-1", subjects.BATCH) == "site.depot-1.up.batch"
    assert subjects.down("depot-1", subjects.INSTRUCTION) == "site.depot-1.down.instr"
    assert subjects.site_of("site.depot-1.up.hello") == "depot-1"
    with pytest.raises(PermanentError):
        subjects.site_of("site.depot-1.up")
