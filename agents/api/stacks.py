"""Where the tasks and threads of this process are: places in the code, without the values of variables."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from streamseg.json_text import Json

_DEPTH = 15
_ROOTS = sorted({str(Path(one)) for one in sys.path if one}, key=len, reverse=True)


def stacks() -> Json:
    """Return `{"tasks": [{"name", "at"}], "threads": [{"name", "at"}]}` of this process. `at` has the places
    from the outermost call to the innermost. To be called in the event loop."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        "tasks": sorted(
            (
                {"name": task.get_name(), "at": places_of(_awaiting(task.get_coro()))}
                for task in asyncio.all_tasks()
            ),
            key=lambda one: (one["at"], one["name"]),
        ),
        "threads": [
            {"name": names.get(ident, "unknown"), "at": places_of(_calling(frame))}
            for ident, frame in sys._current_frames().items()
        ],
    }


def places_of(frames: Iterable[tuple[CodeType, int]]) -> list[str]:
    """Return the innermost places, as `file:line function`. Files are named from their package on."""
    return [f"{_file(code.co_filename)}:{line} {code.co_qualname}" for code, line in frames][-_DEPTH:]


def _awaiting(waiting: Any) -> Iterator[tuple[CodeType, int]]:
    """Return the frames of a coroutine and of the coroutines and generators for which it waits. Compiled ones
    have no frames."""
    while waiting is not None:
        for kind in ("cr", "gi", "ag"):
            frame: FrameType | None = getattr(waiting, f"{kind}_frame", None)
            if frame is not None:
                yield frame.f_code, frame.f_lineno
                break
        waiting = next(
            (
                getattr(waiting, name)
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if getattr(waiting, name, None) is not None
            ),
            None,
        )


def _calling(frame: FrameType | None) -> list[tuple[CodeType, int]]:
    found = []
    while frame is not None:
        found.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return found[::-1]


def _file(path: str) -> str:
    for root in _ROOTS:
        if path.startswith(f"{root}/"):
            return path[len(root) + 1 :]
    return path
