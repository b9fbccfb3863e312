"""Applies changelogs to stores in a process of its own.

Most of a recovery is Python: records are taken from the Kafka client and put into batches for RocksDB.
Threads would take turns with the interpreter's lock. Processes do not, and no store is open in two of them: a
worker opens a store after the process that restored it has ended. What a process leaves undone, for whatever
reason, the worker reads itself.

A process ends by itself once the worker closes its standard input, which the system does if the worker is
killed. Otherwise it would keep the stores open, and the next worker could not open them.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, NamedTuple, cast

import orjson

from agents.kafka.changelog_reader import read_changelog
from agents.kafka.topics import changelog_topic
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore

_CACHE_BYTES = 8 << 20
"""Recovered records are written and not read."""


class Progress(NamedTuple):
    """A step of a process: the partition, the offset up to which its changelog was read, and how many records
    were applied in this step and how many did not count."""

    partition: int
    offset: int
    records: int
    strays: int


class RestoringProcess:
    """A process that restores some partitions from the beginnings of their changelogs."""

    def __init__(self, settings: Settings, folders: dict[int, Path]) -> None:
        """Start it. `folders` has the folder of each partition's store; no store may be there."""
        # -P: a folder `agents` where the worker was started is not ours.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        task = pickle.dumps((settings, folders))
        # If it has ended already, `wait` says so.
        with suppress(BrokenPipeError):
            self._input.write(task)
            self._input.flush()

    @property
    def _input(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdin)

    def progress(self) -> Iterator[Progress]:
        """Yield each step, until the process has ended. Blocks."""
        for line in cast(IO[bytes], self._process.stdout):
            yield Progress(*orjson.loads(line))

    def wait(self) -> int:
        """Return the exit status, once the process has ended: 0 if it has restored everything."""
        status = self._process.wait()
        with suppress(BrokenPipeError):
            self._input.close()
        cast(IO[bytes], self._process.stdout).close()
        return status

    def kill(self) -> None:
        """End it, if it runs. What it has not flushed is lost; the changelog has it."""
        self._process.kill()


def main() -> None:
    """Restore what the worker has written to standard input. Write each `Progress` to standard output, as a
    JSON list in a line of its own."""
    # The worker decides what an interrupt from the keyboard, which reaches both, means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING)
    settings, folders = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the worker
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    _restore(settings, folders)


def _end_with_the_worker() -> None:
    # Not through `sys.stdin`: its lock would be held when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(1)


def _restore(settings: Settings, folders: dict[int, Path]) -> None:
    caches = Caches(_CACHE_BYTES)
    stores = {
        number: RocksStore(folder, caches=caches, layout_asked=settings.layout)
        for number, folder in folders.items()
    }
    bulks: dict[int, ExitStack] = {}

    def apply(number: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
        if number not in bulks:
            bulks[number] = ExitStack()
            bulks[number].enter_context(stores[number].in_bulk())
        stores[number].apply_changelog(records, offset, strays)
        step = Progress(number, offset + 1, len(records), len(strays))
        print(orjson.dumps(list(step)).decode(), flush=True)

    def reached(number: int, _: int) -> None:
        if number in bulks:
            bulks[number].close()
        stores[number].close()

    read_changelog(
        settings, changelog_topic(settings), dict.fromkeys(folders, 0), apply, reached, threading.Event()
    )


if __name__ == "__main__":
    main()
