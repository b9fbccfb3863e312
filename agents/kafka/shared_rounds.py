"""Rounds of sending that several senders share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

Placed = Mapping[tuple[str, int], list[T]]
"""Messages by topic partition: the topic's name on the broker, and the partition."""


class SharedRounds(Generic[T]):
    """Joins the messages of several senders, to whatever topic partitions. All messages that arrive while a
    round is being sent go together into the next round.

    A request to a broker costs about as much for one topic partition as for many, and the client has one
    request on its way to each broker. So messages that waited for each other's acknowledgements one by one
    would arrive later, and cost more."""

    __slots__ = ("_deliver", "_round", "_turn", "_waiting")

    def __init__(self, deliver: Callable[[Placed[T]], Awaitable[object]]) -> None:
        """`deliver` returns when its messages are acknowledged."""
        self._deliver = deliver
        self._turn = asyncio.Lock()
        self._waiting: dict[tuple[str, int], list[T]] = {}
        self._round: asyncio.Task[None] | None = None

    async def send(self, messages: Placed[T]) -> None:
        """Return when all messages are acknowledged. Raises the error of the round that contained them."""
        for place, some in messages.items():
            self._waiting.setdefault(place, []).extend(some)
        if self._round is None:
            self._round = asyncio.create_task(self._next_round())
        # A sender that is cancelled must not cancel the round for which others wait.
        await asyncio.shield(self._round)

    async def send_alone(self, messages: Placed[T]) -> None:
        """Send as `send` does, in a round that no other sender shares."""
        async with self._turn:
            await self._deliver(messages)

    async def _next_round(self) -> None:
        async with self._turn:
            messages, self._waiting, self._round = self._waiting, {}, None
            await self._deliver(messages)
