"""One question at a time for each account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from prometheus_client import Gauge

from agents.api.problems import ProblemError


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
