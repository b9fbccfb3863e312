"""The position up to which a topic has been read, and waiting for a position."""

from __future__ import annotations

import asyncio


class Position:
    """The offset after the last record that was read and processed. It only grows."""

    def __init__(self) -> None:
        self.next_offset = 0
        self._moved = asyncio.Event()

    def move(self, next_offset: int) -> None:
        """Note that everything before `next_offset` was processed."""
        if next_offset > self.next_offset:
            self.next_offset = next_offset
            self._moved.set()
            self._moved = asyncio.Event()

    async def reached(self, next_offset: int) -> None:
        """Return when everything before `next_offset` was processed."""
        while self.next_offset < next_offset:
            await self._moved.wait()
