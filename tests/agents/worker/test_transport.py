"""The offset at which a consumer continues after records that had no reader."""

from __future__ import annotations

import asyncio
from typing import Any

from faust.types import TP

from agents.worker.transport import ConsumerThread

NOTHING_COMMITTED, AT_THE_BEGINNING, ON_THE_WAY = (TP("behavior-events", number) for number in range(3))


class Consumer:
    """As aiokafka's: it seeks where something is committed only."""

    def __init__(self) -> None:
        self.committed = {NOTHING_COMMITTED: None, AT_THE_BEGINNING: 0, ON_THE_WAY: 7}
        self.positions: dict[TP, int] = dict.fromkeys(self.committed, 51)

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.positions.update({tp: offset for tp, offset in self.committed.items() if offset})
        return self.committed

    async def seek_to_beginning(self, *tps: TP) -> None:
        self.positions.update(dict.fromkeys(tps, 0))


class Thread(ConsumerThread):
    """Without the thread."""

    def __init__(self, consumer: Consumer) -> None:
        self._fake = consumer

    def _ensure_consumer(self) -> Any:
        return self._fake

    async def call_thread(self, fun: Any, *args: Any, **kwargs: Any) -> Any:
        return await fun(*args, **kwargs)


def test_what_came_for_nobody_is_read_again_also_where_nothing_is_committed() -> None:
    consumer = Consumer()
    asyncio.run(Thread(consumer).seek_to_committed())
    assert consumer.positions == {NOTHING_COMMITTED: 0, AT_THE_BEGINNING: 0, ON_THE_WAY: 7}
