"""Batches that several senders share for one topic partition."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedBatches(Generic[T]):
    """Joins the messages of several senders. Messages that arrive while a batch is being sent go together
    into the next batch. Otherwise each sender would have to wait for the acknowledgements of all senders
    before it."""

    __slots__ = ("_deliver", "_round", "_turn", "_waiting")

    def __init__(self, deliver: Callable[[list[T]], Awaitable[object]]) -> None:
        """`deliver` returns when its messages are acknowledged."""
        self._deliver = deliver
        self._turn = asyncio.Lock()
        self._waiting: list[T] = []
        self._round: asyncio.Task[None] | None = None

    async def send(self, messages: list[T]) -> None:
        """Return when all messages are acknowledged. Raises the error of the batch that contained them."""
        self._waiting.extend(messages)
        if self._round is None:
            self._round = asyncio.create_task(self._next_round())
        # A sender that is cancelled must not cancel the batch for which others wait.
        await asyncio.shield(self._round)

    async def send_alone(self, messages: list[T]) -> None:
        """Send as `send` does, in a batch that no other sender shares."""
        async with self._turn:
            await self._deliver(messages)

    async def _next_round(self) -> None:
        async with self._turn:
            messages, self._waiting, self._round = self._waiting, [], None
            await self._deliver(messages)
