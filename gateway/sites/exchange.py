"""What one request from a site is answered, whatever carried it."""

from __future__ import annotations

import structlog

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.site_link.codec import decode
from contracts.site_link.configuration import Configuration, ConfigurationAck, refused
from contracts.site_link.messages import (
    PROTOCOL_VERSION,
    Batch,
    BatchAck,
    Credentials,
    Hello,
    Instruction,
    InstructionAck,
    InstructionState,
    Refusal,
    Renew,
    Welcome,
)
from contracts.site_link.prices import Prices, PricesAck
from contracts.time import Clock
from gateway.ports import SiteMessages

log = structlog.get_logger(__name__)

Answer = Welcome | BatchAck | Credentials | Refusal
_REASON_CHARS = 500


async def answer(site_id: str, data: bytes, handler: SiteMessages) -> Answer | None:
    """The answer to a message from this site; None: none now, the site will ask again."""
    try:
        return await _handled(site_id, data, handler)
    except (ProtocolError, PermanentError) as error:
        log.warning("message from a site refused", site=site_id, why=str(error))
        return Refusal(reason=str(error)[:_REASON_CHARS])
    except TransientError as error:
        log.warning("message from a site not taken", site=site_id, why=str(error))
        return None


async def greeted(site_id: str, handler: SiteMessages) -> None:
    """The site has its Welcome: let it have what it missed."""
    try:
        await handler.connected(site_id)
    except TransientError as error:
        log.warning("instructions not resent", site=site_id, why=str(error))


def acknowledgement(instruction: Instruction, data: bytes, clock: Clock) -> InstructionAck:
    """The site's answer to an instruction; an answer that makes no sense counts as rejection."""
    try:
        reply = decode(data)
    except ProtocolError as error:
        return _rejected(instruction, f"unreadable answer: {error}", clock)
    match reply:
        case InstructionAck(instruction_id=instruction.instruction_id):
            return reply
        case Refusal(reason=reason):
            return _rejected(instruction, reason, clock)
        case _:
            return _rejected(instruction, f"answered with {reply.kind}", clock)


def prices_answer(prices: Prices, data: bytes) -> PricesAck:
    """The site's answer to prices; an answer that makes no sense counts as refusal."""
    try:
        reply = decode(data)
    except ProtocolError as error:
        reason = f"unreadable answer: {error}"
    else:
        if isinstance(reply, PricesAck) and reply.prices_id == prices.prices_id:
            return reply
        reason = reply.reason if isinstance(reply, Refusal) else f"answered with {reply.kind}"
    return PricesAck(prices_id=prices.prices_id, stored=False, reason=reason[:_REASON_CHARS])


def configuration_answer(sent: Configuration, data: bytes) -> ConfigurationAck:
    """The site's answer to settings; an answer that makes no sense counts as refusal."""
    try:
        reply = decode(data)
    except ProtocolError as error:
        return refused(sent.configuration_id, [f"unreadable answer: {error}"])
    if isinstance(reply, ConfigurationAck) and reply.configuration_id == sent.configuration_id:
        return reply
    why = reply.reason if isinstance(reply, Refusal) else f"answered with {reply.kind}"
    return refused(sent.configuration_id, [why])


async def _handled(site_id: str, data: bytes, handler: SiteMessages) -> Answer:
    match decode(data):
        case Hello() | Batch() | Renew() as message if message.site_id != site_id:
            raise ProtocolError(f"{message.kind} names another site: {message.site_id!r}")
        case Hello() as hello:
            if PROTOCOL_VERSION not in hello.versions:
                raise ProtocolError(f"no common version: the gateway speaks {PROTOCOL_VERSION}")
            return await handler.hello(hello)
        case Batch() as batch:
            return await handler.batch(batch)
        case Renew() as renew:
            return await handler.renew(renew)
        case other:
            raise ProtocolError(f"{other.kind} does not go this way")


def _rejected(instruction: Instruction, reason: str, clock: Clock) -> InstructionAck:
    log.warning(
        "instruction rejected by the link",
        site=instruction.site_id,
        instruction=instruction.instruction_id,
        why=reason,
    )
    return InstructionAck(
        instruction_id=instruction.instruction_id,
        state=InstructionState.REJECTED,
        reason=reason[:_REASON_CHARS],
        at=clock.now(),
    )
