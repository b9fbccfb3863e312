"""The workers of a run. Each has its own folder and is started again when it ends."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import threading
import time
from pathlib import Path

from streamseg.settings import Settings
from tests.chaos.host_clock import HostClock
from tests.chaos.plan import CLOCK_WORKER, DISK_WORKER, FIRST_WORKERS, SESSION_SECONDS, WORKERS
from tests.kafka.live import Worker

_DISK_BYTES = 96 << 20
STATIC_WORKER = 0
"""The worker with a fixed instance id in the group, which takes over its earlier partitions at once."""
_LOOK_SECONDS = 0.2
_AT_WORK = "at work on partition"
_RESTART_SECONDS = 1.0
_STOP_SECONDS = 90.0
_BALLAST = "ballast"
_NO_SPACE = 1 << 12
_LOG_LINES = 12

# The ways in which a worker may end by itself, by its last log lines. The first match decides.
_ENDINGS = {
    "stood still": r"this process stood still",
    "disk full": r"No space left|File too large|space left on device",
    "released meanwhile": r"NotAtWorkError",
    "fenced": r"ProducerFenced|InvalidProducerEpoch|FencedInstanceId",
    "broker": r"KafkaConnectionError|UnknownTopicOrPartition|NodeNotReady|KafkaTimeoutError|no Kafka|Kafka",
}

UNNAMED = "other"
"""Any other way."""


class Place:
    """One worker, and whether it is meant to run. The run and the keeper thread use it at the same time."""

    def __init__(self, number: int, worker: Worker) -> None:
        self.number = number
        self.worker = worker
        self.wanted = False
        self.lock = threading.Lock()
        self.launched_at = 0.0

    @property
    def running(self) -> bool:
        return self.launched_at > 0 and self.worker.poll() is None

    def launch(self) -> None:
        """Let the worker run from now on; do nothing if it runs."""
        with self.lock:
            self.wanted = True
            if not self.running:
                self.worker.launch()
                self.launched_at = time.monotonic()


class Workers:
    """All places. A separate thread starts workers again that ended without an order."""

    def __init__(
        self, settings: Settings, programs: Path, disk: Disk, clock: HostClock, **environment: str
    ) -> None:
        self._disk = disk
        self._clock = clock
        self.places = [
            Place(
                number,
                Worker(
                    settings,
                    f"worker-{number}",
                    programs,
                    STREAMSEG_SESSION_TIMEOUT_MS=str(int(SESSION_SECONDS * 1000)),
                    **({"STREAMSEG_INSTANCE_ID": "static"} if number == STATIC_WORKER else {}),
                    **(clock.environment if number == CLOCK_WORKER else {}),
                    **environment,
                ),
            )
            for number in range(WORKERS)
        ]
        self.endings: list[tuple[int, str, str]] = []
        """The workers that ended by themselves: number, cause, and the end of the log."""
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        for place in self.places[:FIRST_WORKERS]:
            place.launch()
        self._keeper.start()

    def _keep(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for place in self.places:
                with place.lock:
                    ended = place.wanted and place.launched_at > 0 and place.worker.poll() is not None
                    if not ended or time.monotonic() - place.launched_at < _RESTART_SECONDS:
                        continue
                    self.endings.append((place.number, *_ending(place.worker.log)))
                    place.worker.launch()
                    place.launched_at = time.monotonic()

    def await_work(self, number: int, seconds: float) -> None:
        """Return when a running worker is at work on a partition, at the latest after `seconds`."""
        place, deadline = self.places[number], time.monotonic() + seconds
        while place.running and _AT_WORK not in place.worker.log and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    # -- faults --------------------------------------------------------------------------------------------

    def kill(self, number: int) -> bool:
        """Send SIGKILL; the worker stays down. Return whether it ran."""
        place = self.places[number]
        with place.lock:
            place.wanted = False
            if not place.running:
                return False
            place.worker.kill()
            return True

    def terminate(self, number: int) -> bool:
        """Send SIGTERM without waiting. Return whether the worker ran."""
        place = self.places[number]
        with place.lock:
            place.wanted = False
            if not place.running:
                return False
            place.worker.thaw()
            place.worker.terminate()
            return True

    def freeze(self, number: int) -> bool:
        place = self.places[number]
        with place.lock:
            if not place.running:
                return False
            place.worker.freeze()
            return True

    def thaw(self, number: int) -> None:
        place = self.places[number]
        with place.lock:
            if place.running:
                place.worker.thaw()

    def lose_folder(self, number: int) -> bool:
        """Delete the state of a worker that is down; do nothing if it runs."""
        place = self.places[number]
        with place.lock:
            if place.running:
                return False
            for entry in place.worker.state.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry.name != _BALLAST:
                    entry.unlink()
            return True

    def fill_disk(self, number: int) -> bool:
        place = self.places[number]
        with place.lock:
            self._disk.fill(place.worker)
            return place.running

    def free_disk(self, number: int) -> None:
        place = self.places[number]
        with place.lock:
            self._disk.free(place.worker)

    def set_clock(self, seconds_ahead: int) -> bool:
        """Set the time of day of the one worker whose clock can be wrong. Return whether it can be set."""
        self._clock.set(seconds_ahead)
        return self._clock.can_be_set

    # -- end -----------------------------------------------------------------------------------------------

    def launch_all(self) -> None:
        """Let all workers run, and remove all obstacles."""
        self.free_disk(DISK_WORKER)
        self._clock.set(0)
        for place in self.places:
            self.thaw(place.number)
            place.launch()

    def working(self) -> list[Worker]:
        """The processes that run now."""
        return [place.worker for place in self.places if place.running]

    def stop_all(self) -> list[str]:
        """Send SIGTERM to all workers. Return what went wrong."""
        for place in self.places:
            self.terminate(place.number)
        wrong = []
        deadline = time.monotonic() + _STOP_SECONDS
        for place in self.places:
            if not place.launched_at:
                continue
            try:
                status = place.worker.wait(max(1.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                wrong.append(f"worker-{place.number} runs {_STOP_SECONDS:.0f} s after SIGTERM")
                place.worker.kill()
                continue
            if status != 0:
                wrong.append(
                    f"worker-{place.number} ended with {status} after SIGTERM: {_ending(place.worker.log)}"
                )
        return wrong

    def end(self) -> None:
        """End everything that belongs to the run."""
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for place in self.places:
            place.wanted = False
            if place.launched_at:
                place.worker.end()


class Disk:
    """Fills the disk of one worker: a small file system in memory if this user may mount one, else a limit on
    the size of the files that its process writes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        mounting = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "streamseg-chaos", folder],
            capture_output=True,
            check=False,
        )
        self.mounted = mounting.returncode == 0

    @property
    def way(self) -> str:
        return "tmpfs" if self.mounted else "RLIMIT_FSIZE"

    def fill(self, worker: Worker) -> None:
        if not self.mounted:
            self._limit(worker, _NO_SPACE)
            return
        try:
            with (self._folder / _BALLAST).open("ab", buffering=0) as ballast:
                while ballast.write(bytes(1 << 16)):
                    continue
        except OSError:
            return  # full, which may be so already, by the worker itself

    def free(self, worker: Worker) -> None:
        if not self.mounted:
            self._limit(worker, resource.RLIM_INFINITY)
            return
        (self._folder / _BALLAST).unlink(missing_ok=True)

    def _limit(self, worker: Worker, size: int) -> None:
        if worker.poll() is None:
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", self._folder], check=False)


def _ending(log: str) -> tuple[str, str]:
    """Return the cause of a worker's end, by its log, and the log's last lines."""
    lines = log.splitlines()[-_LOG_LINES:]
    tail = "\n".join(lines)
    named = (name for name, pattern in _ENDINGS.items() if re.search(pattern, log[-20_000:]))
    return next(named, UNNAMED), tail
