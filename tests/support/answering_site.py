"""A depot's agent that answers at once, for a whole gateway in one loop."""

from __future__ import annotations

from typing import Protocol

from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import (
    Batch,
    BatchAck,
    Hello,
    Instruction,
    InstructionAck,
    InstructionState,
    InstructionStatus,
    Measurement,
    NumberedRow,
    Row,
    Welcome,
)
from contracts.time import Clock
from gateway.sites.memory import MemorySiteLink


class Around(Protocol):
    """What it needs of the world it lives in."""

    @property
    def clock(self) -> Clock: ...

    @property
    def link(self) -> MemorySiteLink: ...

    async def settle(self) -> None:
        """Until nobody has anything to do."""
        ...


class FakeSite:
    """A depot's agent: numbers its rows, takes instructions, draws what it is told to draw."""

    def __init__(self, world: Around, site_id: str) -> None:
        self.world = world
        self.site_id = site_id
        self.power_w = 100_000.0
        self.flex_down_w = 60_000.0
        self.taken: list[Instruction] = []
        self.refuses = ""
        self.obeys: float | None = None
        """Part of what it is asked that it gives; None: `power_w` whatever it is told."""
        self._seq = 0

    @property
    def limits(self) -> list[float | None]:
        """The limits of the newest instruction."""
        return [step.import_limit_w for step in self.taken[-1].steps]

    async def connect(self) -> Welcome:
        """Listen and greet."""
        self.world.link.attach(self.site_id, self.receive)
        last = max((one.site_seq for one in self.taken), default=0)
        now = self.world.clock.now()
        answer = await self.world.link.up(
            self.site_id,
            Hello(
                site_id=self.site_id,
                epoch="e1",
                versions=(1,),
                last_instruction_seq=last,
                outbox_head=self._seq,
                agent_version="test",
                sent_at=now,
            ),
        )
        assert isinstance(answer, Welcome)
        await self.world.settle()
        return answer

    def vanish(self) -> None:
        """The link is cut."""
        self.world.link.detach(self.site_id)

    async def receive(self, instruction: Instruction) -> InstructionAck:
        """Store or refuse."""
        if not self.refuses:
            self.taken.append(instruction)
        return InstructionAck(
            instruction_id=instruction.instruction_id,
            state=InstructionState.REJECTED if self.refuses else InstructionState.STORED,
            reason=self.refuses,
            at=self.world.clock.now(),
        )

    async def send(self, *rows: Row) -> BatchAck:
        """A batch of rows."""
        numbered = []
        for row in rows:
            self._seq += 1
            numbered.append(NumberedRow(seq=self._seq, row=row))
        batch = Batch(
            site_id=self.site_id,
            epoch="e1",
            rows=tuple(numbered),
            sent_at=self.world.clock.now(),
        )
        answer = await self.world.link.up(self.site_id, batch)
        assert isinstance(answer, BatchAck)
        return answer

    async def report(self) -> BatchAck:
        """Its load and what it offers, now."""
        return await self.send(
            self._measured(points.PCC_POWER_W, self.load_w),
            self._measured(points.FLEX_DOWN_W, self.flex_down_w - self.power_w + self.load_w),
        )

    @property
    def load_w(self) -> float:
        """What it draws now."""
        now = self.world.clock.now()
        limits = (
            [s.import_limit_w for s in self.taken[-1].steps if s.start <= now < s.end]
            if (self.taken and self.obeys is not None)
            else []
        )
        held_w = min((w for w in limits if w is not None), default=self.power_w)
        return self.power_w - (self.obeys or 0.0) * max(0.0, self.power_w - held_w)

    def says(self, state: InstructionState, reason: str = "") -> InstructionStatus:
        """A word on the newest instruction."""
        return InstructionStatus(
            at=self.world.clock.now(),
            instruction_id=self.taken[-1].instruction_id,
            event_id=self.taken[-1].event_id,
            state=state,
            reason=reason,
        )

    def _measured(self, point: str, value: float) -> Measurement:
        return Measurement(
            at=self.world.clock.now(), point=point, value=value, quality=Quality.GOOD
        )
