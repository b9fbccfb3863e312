"""How far a topic has been read, and waiting for that."""

from __future__ import annotations

import asyncio


class Position:
    """The offset after the last record that was read and taken in. Only grows."""

    def __init__(self) -> None:
        self.next_offset = 0
        self._moved = asyncio.Event()

    def move(self, next_offset: int) -> None:
        """Everything before that offset was taken in."""
        if next_offset > self.next_offset:
            self.next_offset = next_offset
            self._moved.set()
            self._moved = asyncio.Event()

    async def reached(self, next_offset: int) -> None:
        """Returns once everything before that offset was taken in."""
        while self.next_offset < next_offset:
            await self._moved.wait()
