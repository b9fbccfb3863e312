"""Messages that several callers send at the same time share a round and fail together."""

from __future__ import annotations

import asyncio

import pytest

from agents.kafka.shared_rounds import Placed, SharedRounds

HERE, THERE = ("memberships", 0), ("changes", 3)


class Line:
    """Takes what is delivered and acknowledges it when told to."""

    def __init__(self) -> None:
        self.rounds: list[dict[tuple[str, int], list[str]]] = []
        self.acknowledged = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def deliver(self, messages: Placed[str]) -> None:
        self.rounds.append({to: list(some) for to, some in messages.items()})
        await self.acknowledged.acquire()
        if self.error is not None:
            raise self.error


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_comes_while_a_round_is_on_its_way_goes_with_the_next_one() -> None:
    async def story() -> None:
        line = Line()
        rounds = SharedRounds(line.deliver)
        first = asyncio.create_task(rounds.send({HERE: ["a", "b"]}))
        await _settle()
        later = [
            asyncio.create_task(rounds.send(messages))
            for messages in ({HERE: ["c"], THERE: ["d"]}, {THERE: ["e"]}, {HERE: ["f"]})
        ]
        await _settle()
        assert line.rounds == [{HERE: ["a", "b"]}]
        line.acknowledged.release()
        await _settle()
        assert first.done()
        assert line.rounds == [{HERE: ["a", "b"]}, {HERE: ["c", "f"], THERE: ["d", "e"]}]
        assert not any(task.done() for task in later)
        line.acknowledged.release()
        await asyncio.gather(*later)

    asyncio.run(story())


def test_a_sender_may_go_on_with_its_list() -> None:
    async def story() -> None:
        line = Line()
        rounds = SharedRounds(line.deliver)
        messages = ["a"]
        sending = asyncio.create_task(rounds.send({HERE: messages}))
        await asyncio.sleep(0)
        other = asyncio.create_task(rounds.send({HERE: ["b"]}))
        await asyncio.sleep(0)
        line.acknowledged.release()
        line.acknowledged.release()
        await asyncio.gather(sending, other)
        assert messages == ["a"]

    asyncio.run(story())


def test_alone_goes_with_nothing_else() -> None:
    async def story() -> None:
        line = Line()
        rounds = SharedRounds(line.deliver)
        tasks = [
            asyncio.create_task(rounds.send({HERE: ["a"]})),
            asyncio.create_task(rounds.send_alone({HERE: ["b"]})),
            asyncio.create_task(rounds.send({HERE: ["c"]})),
        ]
        for _ in tasks:
            await _settle()
            line.acknowledged.release()
        await asyncio.gather(*tasks)
        assert {HERE: ["b"]} in line.rounds
        assert sorted(name for sent in line.rounds for name in sent[HERE]) == ["a", "b", "c"]

    asyncio.run(story())


def test_an_error_is_everybodys_who_went_with_the_round_and_nobody_elses() -> None:
    async def story() -> None:
        line = Line()
        rounds = SharedRounds(line.deliver)
        together = [asyncio.create_task(rounds.send({HERE: [name]})) for name in "ab"]
        await _settle()
        later = asyncio.create_task(rounds.send({HERE: ["c"]}))
        line.error = OSError("the broker is gone")
        line.acknowledged.release()
        for task in together:
            with pytest.raises(OSError, match="the broker is gone"):
                await task
        line.error = None
        line.acknowledged.release()
        await later
        assert line.rounds == [{HERE: ["a", "b"]}, {HERE: ["c"]}]

    asyncio.run(story())


def test_who_gives_up_does_not_take_along_what_others_send() -> None:
    async def story() -> None:
        line = Line()
        rounds = SharedRounds(line.deliver)
        gone = asyncio.create_task(rounds.send({HERE: ["a"]}))
        staying = asyncio.create_task(rounds.send({HERE: ["b"]}))
        await _settle()
        gone.cancel()
        await _settle()
        line.acknowledged.release()
        await staying
        assert line.rounds == [{HERE: ["a", "b"]}]

    asyncio.run(story())
