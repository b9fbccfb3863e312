"""Records that several callers send to one partition at the same time share a batch and fail together."""

from __future__ import annotations

import asyncio

import pytest

from agents.kafka.shared_batches import SharedBatches


class Line:
    """Takes what is delivered and acknowledges it when told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.acknowledged = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def deliver(self, messages: list[str]) -> None:
        self.batches.append(messages)
        await self.acknowledged.acquire()
        if self.error is not None:
            raise self.error


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_comes_while_a_batch_is_on_its_way_goes_with_the_next_one() -> None:
    async def story() -> None:
        line = Line()
        batches = SharedBatches(line.deliver)
        first = asyncio.create_task(batches.send(["a", "b"]))
        await _settle()
        later = [asyncio.create_task(batches.send([name])) for name in "cde"]
        await _settle()
        assert line.batches == [["a", "b"]]
        line.acknowledged.release()
        await _settle()
        assert first.done()
        assert line.batches == [["a", "b"], ["c", "d", "e"]]
        assert not any(task.done() for task in later)
        line.acknowledged.release()
        await asyncio.gather(*later)

    asyncio.run(story())


def test_alone_goes_with_nothing_else() -> None:
    async def story() -> None:
        line = Line()
        batches = SharedBatches(line.deliver)
        tasks = [
            asyncio.create_task(batches.send(["a"])),
            asyncio.create_task(batches.send_alone(["b"])),
            asyncio.create_task(batches.send(["c"])),
        ]
        for _ in tasks:
            await _settle()
            line.acknowledged.release()
        await asyncio.gather(*tasks)
        assert ["b"] in line.batches
        assert sorted(name for batch in line.batches for name in batch) == ["a", "b", "c"]

    asyncio.run(story())


def test_an_error_is_everybodys_who_went_with_the_batch_and_nobody_elses() -> None:
    async def story() -> None:
        line = Line()
        batches = SharedBatches(line.deliver)
        together = [asyncio.create_task(batches.send([name])) for name in "ab"]
        await _settle()
        later = asyncio.create_task(batches.send(["c"]))
        line.error = OSError("the broker is gone")
        line.acknowledged.release()
        for task in together:
            with pytest.raises(OSError, match="the broker is gone"):
                await task
        line.error = None
        line.acknowledged.release()
        await later
        assert line.batches == [["a", "b"], ["c"]]

    asyncio.run(story())


def test_who_gives_up_does_not_take_along_what_others_send() -> None:
    async def story() -> None:
        line = Line()
        batches = SharedBatches(line.deliver)
        gone = asyncio.create_task(batches.send(["a"]))
        staying = asyncio.create_task(batches.send(["b"]))
        await _settle()
        gone.cancel()
        await _settle()
        line.acknowledged.release()
        await staying
        assert line.batches == [["a", "b"]]

    asyncio.run(story())
