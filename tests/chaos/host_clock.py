"""The time of day of one worker, which a run can set wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("host_clock.c")


class HostClock:
    """Lets one worker read a time of day that is ahead of the host's by some seconds, or behind it.

    The worker gets the time from `host_clock.c`, which is compiled here. Without a C compiler, or on a system
    other than Linux, the clock stays right.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is for the library and for the file with the seconds."""
        self._seconds = folder / "clock"
        self._library = folder / "host_clock.so"
        folder.mkdir(parents=True, exist_ok=True)
        self.set(0)
        compiler = shutil.which("cc") or shutil.which("gcc")
        self.can_be_set = compiler is not None and self._compile(compiler)

    def _compile(self, compiler: str) -> bool:
        options = ["-O2", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE), "-ldl", "-lpthread"]
        return subprocess.run([compiler, *options], capture_output=True, check=False).returncode == 0

    @property
    def environment(self) -> dict[str, str]:
        """What the worker's environment needs."""
        if not self.can_be_set:
            return {}
        return {"LD_PRELOAD": str(self._library), "STREAMSEG_CHAOS_CLOCK": str(self._seconds)}

    def set(self, seconds_ahead: int) -> None:
        """Set the worker's clock, now and for its later starts."""
        # The file is mapped by the worker, so it must stay the same file.
        with self._seconds.open("r+b" if self._seconds.exists() else "wb") as file:
            file.write(seconds_ahead.to_bytes(8, "little", signed=True))
