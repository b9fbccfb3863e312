"""The condition of this worker for administrators: is it ready, what of its partitions, what was refused."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from agents.api.shown_settings import shown_settings
from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.partitions.assignment import State
from agents.partitions.owned_partitions import OwnedPartitions
from agents.partitions.recent_dead_letters import RefusedRecord
from agents.partitions.scheduler import TaskScheduler
from agents.partitions.worker_clock import WorkerClock
from agents.worker.readiness_log import ReadinessLog
from schemas.topics import SOURCES
from streamseg.build_form import BUILD_FORM
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import format_ms


class WorkerCondition:
    """Describes one worker at this moment. Nothing in it is data of a contact, except what the text and the
    path of a dead letter may quote: the names of fields."""

    def __init__(
        self,
        settings: Settings,
        *,
        not_ready: Callable[[], list[str]],
        readiness: ReadinessLog,
        clock: WorkerClock,
        catalogue: CatalogueTopic,
        partitions: OwnedPartitions,
        scheduler: TaskScheduler,
    ) -> None:
        self._settings = settings
        self._not_ready = not_ready
        self._readiness = readiness
        self._clock = clock
        self._catalogue = catalogue
        self._partitions = partitions
        self._scheduler = scheduler

    def described(self) -> Json:
        """Return the condition in the shape `WORKER` of `agents.api.shapes`."""
        reasons = self._not_ready()
        now_ms = self._clock.now_ms()
        letters = self._scheduler.recent_dead_letters
        return {
            "version": version("streamseg"),
            "form": BUILD_FORM,
            "ready": not reasons,
            "reasons": reasons,
            "since": format_ms(self._readiness.since_ms),
            "leader": self._catalogue.leading,
            "clock": format_ms(now_ms),
            "clock_doubt": self._clock.doubt,
            "partitions": [self._partition(one, now_ms) for one in sorted(self._partitions.assigned or ())],
            "dead_letters": {
                "counts": letters.counts,
                "latest": [_refused(one) for one in letters.latest],
            },
            "settings": shown_settings(self._settings),
        }

    def _partition(self, number: int, now_ms: int) -> Json:
        state = self._partitions.partition_state(number)
        task = self._scheduler.find(number) if state is State.AT_WORK else None
        restored = self._partitions.restored_share(number)
        lags = self._scheduler.lags(number)
        clock_ms = None if task is None else task.partition.clock_ms
        return {
            "partition": number,
            "state": state.name.lower(),
            "restored": None if restored is None else {"done": restored[0], "total": restored[1]},
            "lag": {topic: lags.get(topic) for topic in SOURCES},
            # A partition that has not seen any record has no time yet.
            "clock": format_ms(clock_ms) if clock_ms else None,
            "behind_ms": max(0, now_ms - clock_ms) if clock_ms else None,
            "swept": _swept(task.swept) if task is not None and task.sweeping else None,
        }


def _swept(share: tuple[int, int]) -> Json:
    done, total = share
    return {"done": done, "total": total}


def _refused(letter: RefusedRecord) -> Json:
    return {
        "at": format_ms(letter.noted_ms),
        "code": letter.code,
        "message": letter.message,
        "path": letter.path,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "applied": letter.applied,
    }
