"""The broker of a run: deploy/kafka.sh on its own folder. It is killed and stopped like the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.kafka.conftest import KAFKA_SCRIPT

_START_SECONDS = "240"
_GONE_SECONDS = 30.0


class Broker:
    """One Kafka node. It keeps its address across restarts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starting: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> None:
        """Start the broker for the first time, and wait until it answers."""
        self._begin("--port", "0")
        self.settle()

    def launch(self) -> None:
        """Start the broker again without waiting; do nothing if it runs."""
        self.settle()
        if self._pid() is None:
            self._begin()

    def settle(self) -> None:
        """Wait until a start that was begun is done. Raises RuntimeError if it failed."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        said, complaint = starting.communicate()
        if starting.returncode != 0:
            raise RuntimeError(f"the broker did not start:\n{complaint}")
        self.address = said.strip()

    def kill(self) -> bool:
        """Send SIGKILL. Return whether the broker ran."""
        self.settle()
        return self._signal(signal.SIGKILL, gone=True)

    def freeze(self) -> None:
        self.settle()
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the run: stop the broker and delete its data."""
        self._starting = None
        self._signal(signal.SIGKILL, gone=True)

    def _begin(self, *options: str) -> None:
        self._starting = subprocess.Popen(
            [KAFKA_SCRIPT, "start", self._folder, *options],
            env={**os.environ, "STREAMSEG_KAFKA_START_SECONDS": _START_SECONDS},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _pid(self) -> int | None:
        """Return the broker's process, which is not our child; None if it does not run."""
        try:
            pid = int((self._folder / "kafka.pid").read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self._folder).encode() in arguments else None

    def _signal(self, number: signal.Signals, *, gone: bool = False) -> bool:
        pid = self._pid()
        if pid is None:
            return False
        os.kill(pid, number)
        deadline = time.monotonic() + _GONE_SECONDS
        while gone and self._pid() is not None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the broker (pid {pid}) outlives SIGKILL")
            time.sleep(0.05)
        return True
