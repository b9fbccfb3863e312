"""One question at a time for each account: the first one, or the latest one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, TypeVar

from prometheus_client import Gauge

from agents.api.problems import ProblemError

T = TypeVar("T")


class Turns:
    """The turns for one kind of question at this worker."""

    def __init__(self, patience_seconds: float, running: Gauge | None = None) -> None:
        """`patience_seconds` is how long a second question waits for the first before it is refused.
        `running` shows how many questions are being answered."""
        self._patience = patience_seconds
        self._running = running
        # Account -> the lock that its questions take, and the number of questions that hold it or wait for
        # it.
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, account: str) -> AsyncIterator[None]:
        """Take the account's turn. Raises ProblemError if another question of the account takes too long."""
        lock, users = self._locks.get(account, (asyncio.Lock(), 0))
        self._locks[account] = (lock, users + 1)
        try:
            await self._take(lock)
            try:
                with self._counted():
                    yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks.pop(account)
            if users > 1:
                self._locks[account] = (lock, users - 1)

    def _counted(self) -> AbstractContextManager[object]:
        return nullcontext() if self._running is None else self._running.track_inprogress()

    async def _take(self, lock: asyncio.Lock) -> None:
        if self._patience > 0 or not lock.locked():
            try:
                async with asyncio.timeout(self._patience or None):
                    await lock.acquire()
                return
            except TimeoutError:
                pass
        raise ProblemError(
            "too_many_requests", "another request of this account is being answered; try again after it"
        )


class LatestOnly:
    """Of each account, only the latest question of one kind is answered. An earlier one ends."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def answer(self, account: str, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `work`, which begins when the account's earlier question has ended. Raises
        ProblemError `superseded` if a later question comes before the result."""
        earlier = self._running.get(account)
        task: asyncio.Task[T] = asyncio.ensure_future(self._in_turn(account, work))
        self._running[account] = task
        if earlier is not None:
            earlier.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is not None and own.cancelling():
                # The caller is gone.
                raise
            raise ProblemError(
                "superseded", "a later request of this account has taken the place of this one"
            ) from None
        finally:
            if self._running.get(account) is task:
                del self._running[account]

    async def _in_turn(self, account: str, work: Callable[[], Awaitable[T]]) -> T:
        async with self._turns.of(account):
            return await work()
