"""Freed memory goes back to the system."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from agents import freed_memory
from agents.freed_memory import FreedMemory
from agents.pacing import Pacing

_PROGRAM = """
import re
from pathlib import Path
from agents.freed_memory import give_back_freed_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

blocks = [bytes(2_000) for _ in range(100_000)]
pinned = bytes(2_000)
del blocks
before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can give memory back when asked")
def test_what_was_freed_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert int(said.stdout) > 100_000, "less than half of 200 MB was given back"


def test_a_worker_gives_memory_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = 0
    enough = asyncio.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def give_back() -> None:
            nonlocal given
            given += 1
            if given == 3:
                loop.call_soon_threadsafe(enough.set)

        monkeypatch.setattr(freed_memory, "give_back_freed_memory", give_back)
        async with asyncio.timeout(10), FreedMemory(Pacing(give_back_seconds=0.001)):
            await enough.wait()

    asyncio.run(main())
