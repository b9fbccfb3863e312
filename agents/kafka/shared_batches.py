"""One topic partition that several senders have something for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedBatches(Generic[T]):
    """Joins what several send at the same time: what comes while a batch is on its way goes together with the
    next one. Each alone would have to wait for all the others' acknowledgements in turn."""

    __slots__ = ("_deliver", "_round", "_turn", "_waiting")

    def __init__(self, deliver: Callable[[list[T]], Awaitable[object]]) -> None:
        """`deliver` returns once what it was given is acknowledged."""
        self._deliver = deliver
        self._turn = asyncio.Lock()
        self._waiting: list[T] = []
        self._round: asyncio.Task[None] | None = None

    async def send(self, messages: list[T]) -> None:
        """Returns once all of them are acknowledged; raises what became of the batch that they went with."""
        self._waiting.extend(messages)
        if self._round is None:
            self._round = asyncio.create_task(self._next_round())
        # Whoever gives up must not take along what others wait for.
        await asyncio.shield(self._round)

    async def send_alone(self, messages: list[T]) -> None:
        """As `send`, joined with nothing else."""
        async with self._turn:
            await self._deliver(messages)

    async def _next_round(self) -> None:
        async with self._turn:
            messages, self._waiting, self._round = self._waiting, [], None
            await self._deliver(messages)
