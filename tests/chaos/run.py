"""One run: a broker, workers, input and faults for a given time; then everything settles and is checked."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agents.kafka.topics import changelog_topic, topic_name
from streamseg.settings import Settings
from tests.chaos import evidence, verification
from tests.chaos.broker import Broker
from tests.chaos.checks import Difference, differences
from tests.chaos.definitions import LONGEST_WINDOW_SECONDS, STANDING, TOPIC, WINDOW_SETTINGS, Story
from tests.chaos.evidence import Figures
from tests.chaos.host_clock import HostClock
from tests.chaos.plan import BROKER, CHAOS, DISK_WORKER, Action, Deed, Rhythm, plan_of_faults
from tests.chaos.traffic import Traffic, last_words, quiet_contacts, quiet_entries
from tests.chaos.truth import Expected, Truth, read, replayed
from tests.chaos.workers import UNNAMED, Disk, Workers
from tests.chaos.writing import Mode, Writer, Written
from tests.kafka.live import PROGRAMS, Topics, worker_environment

PARTITIONS = 4
_TICK_SECONDS = 0.25
_BORN_LIVE_SECONDS = 4.0
_OPEN_LISTS_SECONDS = 6.0
_QUIET_ENTRIES = 20
_QUIET_TICKS = 4
_STEADY_SECONDS = 4.0
_LOOK_SECONDS = 1.0
_STAYS_SECONDS = 20.0
_AT_WORK_SECONDS = 15.0
_LONGEST = 1.5
"""The faults may last this many times as long as planned."""
_LAST_WORDS = 40
_CLOCK_WRONG_SECONDS = 3_600


@dataclass(frozen=True)
class Options:
    """`against`: a checkout with a virtualenv whose worker, topics and replay are tested instead of ours.
    `faults`: the faults to make, by the names in `plan.FAULTS`; empty means all. `settle_seconds`: the
    longest time until everything is idle and right. `definition_seconds`: the time between two changes of
    definitions. `compact_changelog`: otherwise the changelog grows, so that reading it takes long.
    `forgetful`: events are kept for less than the run, but for longer than any window. `environment`: more
    settings of the workers."""

    seed: int
    seconds: float
    against: Path | None = None
    faults: tuple[str, ...] = ()
    contacts: int = 300
    quiet_contacts: int = 8_000
    records_per_second: int = 120
    settle_seconds: float = 300.0
    definition_seconds: float = 2.5
    rhythm: Rhythm = CHAOS
    compact_changelog: bool = False
    forgetful: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def programs(self) -> Path:
        return PROGRAMS if self.against is None else self.against / ".venv" / "bin"


class Run:
    """One run. All its data is in one folder, the broker's and the workers' data too."""

    def __init__(
        self,
        options: Options,
        folder: Path,
        say: Callable[[str], None],
        watching: Callable[[Workers], AbstractContextManager[None]] | None = None,
    ) -> None:
        """`watching` returns a context that is open while the faults last."""
        self._options = options
        self._watching = watching
        self.acted_at: list[float] = []
        """When an action was carried out, in s since the start of the faults."""
        self._folder = folder
        self._say_aloud = say
        self._began = time.monotonic()
        self._log: list[str] = []
        self.figures = Figures(options.seed)
        self.found: list[Difference] = []
        self._plan = plan_of_faults(options.seed, options.seconds, options.faults, options.rhythm)
        self._broker = Broker(folder / "broker")
        self._disk = Disk(folder / "workers" / f"worker-{DISK_WORKER}")
        self._clock = HostClock(folder / "clock")
        self._definition_log: list[Written] = []
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._truth: Truth | None = None

    def __call__(self) -> bool:
        """Whether all checks passed."""
        self.figures.disk = self._disk.way
        try:
            self._set_up()
            with nullcontext() if self._watching is None else self._watching(self._workers):
                self._disturb()
            self._check("after the faults")
            self._finale()
            self._check("after all state was read from the changelog")
            for wrong in self._workers.stop_all():
                self._note(Difference("stop", "worker", wrong))
        finally:
            self._over.set()
            if hasattr(self, "_workers"):
                self._workers.end()
                self.figures.endings = Counter(what for _, what, _ in self._workers.endings)
                for number, what, tail in self._workers.endings:
                    # The evidence of a run without differences is not kept, and a cause without a name may be
                    # a fault.
                    self._say(f"worker-{number} ended by itself: {what}\n{tail}", aloud=what == UNNAMED)
            self._broker.stop()
            self._disk.close()
            self.figures.seconds = time.monotonic() - self._began
            self.figures.differences = Counter(one.check for one in self.found)
        return not self.found

    def keep(self, folder: Path) -> None:
        """Write down the actions and the findings."""
        evidence.keep(
            folder,
            figures=self.figures,
            plan=self._plan,
            log=list(self._log),
            found=self.found,
            truth=self._truth,
            records=self._folder.glob("*.ndjson"),
            worker_logs=(self._folder / "workers").glob("*.log"),
            definitions=b"".join(
                b"%d %s %s\n" % (one.at_ms, one.key, one.value or b"") for one in self._definition_log
            ),
        )

    # -- start -------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        self._broker.start()
        self._settings = Settings(
            bootstrap_servers=self._broker.address,
            application_id="streamseg",
            topic_prefix="chaos-",
            partitions=PARTITIONS,
            replication_factor=1,
            data_dir=self._folder / "workers",
        )
        self._environment = {
            **worker_environment(self._settings, self._folder / "state"),
            **WINDOW_SETTINGS,
            **self._options.environment,
        }
        subprocess.run(
            [self._options.programs / "streamseg", "topics", "create"],
            env=self._environment,
            check=True,
            capture_output=True,
        )
        _compact_often(self._settings, changelog=self._options.compact_changelog)
        self._topics = Topics(self._settings)
        self._writer = Writer(self._settings)
        self._story = Story(
            self._options.seed,
            self._asked(self._topics.ends),
            self._asked(self._topics.committed),
            windows_only=self._options.forgetful,
        )
        self._write_definitions(list(self._story.standing(now_ms())))
        self._writer.write(quiet_contacts(self._options.quiet_contacts, now_ms()), Mode.PLAIN)
        self._workers = Workers(
            self._settings,
            self._options.programs,
            self._disk,
            self._clock,
            STREAMSEG_CACHE_BYTES=str(1 << 20),
            **WINDOW_SETTINGS,
            **self._options.environment,
        )
        self._workers.start()
        self._until(lambda: self._everything_committed(), "the first input")
        self._say(f"set up; {self._disk.way}, {len(self._plan)} actions to come")

    @staticmethod
    def _asked(
        ask: Callable[[], Mapping[tuple[str, int], int]],
    ) -> Callable[[], Mapping[tuple[str, int], int] | None]:
        def answer() -> Mapping[tuple[str, int], int] | None:
            try:
                return ask()
            except KafkaException:
                return None

        return answer

    # -- input and faults --------------------------------------------------------------------------------

    def _disturb(self) -> None:
        began = time.monotonic()
        writing = threading.Thread(target=self._write_input, args=(began,), daemon=True)
        writing.start()
        late = 0.0
        for action in self._plan:
            while (left := began + late + action.at_seconds - time.monotonic()) > 0:
                time.sleep(min(left, 0.5))
                if self._failure is not None:
                    raise self._failure
            if time.monotonic() - began > _LONGEST * self._options.seconds:
                self._say("the rest of the plan is left out: the workers were long at starting")
                break
            if action.deed is Deed.AWAIT_WORK:
                waiting = time.monotonic()
                self._workers.await_work(action.target, _AT_WORK_SECONDS)
                late += time.monotonic() - waiting
            else:
                self._do(action)
                self.acted_at.append(time.monotonic() - began)
        self._say("the faults are over")
        self._broker.thaw()
        self._broker.launch()
        self._broker.settle()
        self._workers.launch_all()
        self._over.set()
        writing.join()
        if self._failure is not None:
            raise self._failure

    def _do(self, action: Action) -> None:
        """Carry out an action. An action whose effect is there already is left out."""
        workers, target = self._workers, action.target
        done: bool | None = None
        match action.deed:
            case Deed.LAUNCH if target == BROKER:
                self._broker.launch()
            case Deed.LAUNCH:
                workers.places[target].launch()
            case Deed.KILL:
                done = self._broker.kill() if target == BROKER else workers.kill(target)
            case Deed.TERMINATE:
                done = workers.terminate(target)
            case Deed.FREEZE if target == BROKER:
                self._broker.freeze()
                done = True
            case Deed.FREEZE:
                done = workers.freeze(target)
            case Deed.THAW if target == BROKER:
                self._broker.thaw()
            case Deed.THAW:
                workers.thaw(target)
            case Deed.LOSE_FOLDER:
                done = workers.lose_folder(target)
            case Deed.FILL_DISK:
                done = workers.fill_disk(target)
            case Deed.FREE_DISK:
                workers.free_disk(target)
            case Deed.CLOCK_AHEAD:
                done = workers.set_clock(_CLOCK_WRONG_SECONDS)
            case Deed.CLOCK_BACK:
                done = workers.set_clock(-_CLOCK_WRONG_SECONDS)
            case Deed.RIGHT_CLOCK:
                workers.set_clock(0)
        whom = "broker" if target == BROKER else f"worker-{target}"
        if done is not False:
            self._say(f"{action.deed} {whom}", aloud=False)
        if done:
            self.figures.done[f"{action.deed}{' broker' if target == BROKER else ''}"] += 1

    def _write_input(self, began: float) -> None:
        try:
            self._write_until_over(began)
        except Exception as error:
            self._failure = error

    def _write_until_over(self, began: float) -> None:
        options, story = self._options, self._story
        traffic = Traffic(options.seed, options.contacts)
        traffic.open_lists = story.open_lists
        size = max(1, round(options.records_per_second * _TICK_SECONDS))
        tick = entered = 0
        born = opened = False
        next_definition = _OPEN_LISTS_SECONDS + options.definition_seconds
        while not self._over.is_set():
            tick += 1
            self._writer.write(*traffic.batch(size, now_ms()))
            elapsed = time.monotonic() - began
            if not born and elapsed > _BORN_LIVE_SECONDS:
                born = True
                self._write_definitions(list(story.born_live(now_ms())))
            if not opened and elapsed > _OPEN_LISTS_SECONDS:
                opened = True
                story.open_standing_lists()
            if opened and tick % _QUIET_TICKS == 0 and entered < options.quiet_contacts:
                numbers = range(entered, min(entered + _QUIET_ENTRIES, options.quiet_contacts))
                entered = numbers.stop
                segment_id = story.kept_lists[tick // _QUIET_TICKS % len(story.kept_lists)]
                self._writer.write(quiet_entries(segment_id, numbers, now_ms()), Mode.PLAIN)
            if elapsed > next_definition:
                next_definition = elapsed + options.definition_seconds
                self._write_definitions(story.step(now_ms()))
            self._over.wait(max(0.0, began + tick * _TICK_SECONDS - time.monotonic()))
        self._writer.close()
        self.figures.aborted = self._writer.aborted

    def _write_definitions(self, records: list[Written]) -> None:
        self._definition_log += records
        self._writer.write(records, Mode.PLAIN)
        self.figures.definitions += len(records)

    # -- end ---------------------------------------------------------------------------------------------

    def _check(self, when: str) -> None:
        """Wait until everything is right, or until violations remain although everything is idle."""
        self._writer.write(last_words(self._options.seed, _LAST_WORDS, now_ms()), Mode.PLAIN)
        at_ms = now_ms()
        deadline = time.monotonic() + self._options.settle_seconds
        if not self._comes_to_rest(at_ms, deadline):
            self._note(Difference("rest", when, f"not at rest after {self._options.settle_seconds:.0f} s"))
        self._say(f"{when}: at rest", aloud=False)
        expected: Expected | None = None
        definitions: object = None
        found: list[Difference] = []
        changed_at = time.monotonic()
        while True:
            truth = self._truth = read(self._topics)
            if expected is None or truth.definitions != definitions:
                definitions = truth.definitions
                expected = replayed(
                    truth,
                    self._story.births,
                    file=self._folder / f"records {when}.ndjson",
                    interpreter=self._options.programs / "python",
                    environment=self._environment,
                    until_ms=at_ms + int(LONGEST_WINDOW_SECONDS * 1000),
                    limit_bytes=self._topics.settings.max_record_bytes,
                    only_json=self._options.against is not None,
                    standing=STANDING if self._options.forgetful else (),
                )
            before, found = found, differences(truth, expected, self._story)
            if not found:
                found = verification.differences(
                    self._options.programs, self._workers.working(), self._environment
                )
            now = time.monotonic()
            if found != before:
                changed_at = now
                self._say(f"{when}: {len(found)} differences so far", aloud=False)
            if not found or now > deadline or now - changed_at > _STAYS_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
        self.figures.records = len(truth.records)
        self.figures.changes = len(truth.changes)
        self.figures.letters = len(truth.letters)
        for one in found:
            self._note(one._replace(subject=f"{one.subject} ({when})"))
        self._say(f"{when}: {len(found)} differences")

    def _finale(self) -> None:
        """Make workers read all state from the changelog, and evaluate every contact by it."""
        for place in self._workers.places:
            self._workers.kill(place.number)
            self._workers.lose_folder(place.number)
        self._workers.launch_all()
        self._write_definitions(self._story.finale(now_ms()))

    def _comes_to_rest(self, at_ms: int, deadline: float) -> bool:
        """Return whether the run is idle: nothing to read, nothing to sweep, no output for a while, and
        nothing due."""
        steady_since, said = time.monotonic(), -1
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            now_said = self._said()
            if now_said != said or not self._everything_committed() or self._sweeping():
                steady_since, said = time.monotonic(), now_said
                continue
            passed = now_ms() - at_ms > LONGEST_WINDOW_SECONDS * 1000
            if passed and time.monotonic() - steady_since > _STEADY_SECONDS:
                return True
        return False

    def _everything_committed(self) -> bool:
        try:
            return self._topics.all_committed()
        except KafkaException:
            return False

    def _said(self) -> int:
        """Return roughly how many records the outputs hold now; -1 if no broker answers."""
        try:
            return self._topics.length("membership-changes") + self._topics.length("segment-memberships")
        except KafkaException:
            return -1

    def _sweeping(self) -> bool:
        try:
            return any(worker.metric("streamseg_sweeping_partitions") for worker in self._workers.working())
        except (AssertionError, OSError):
            # A worker that is still starting serves nothing yet.
            return True

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self._options.settle_seconds
        while not holds():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not in {self._options.settle_seconds:.0f} s: {what}")
            time.sleep(_LOOK_SECONDS)

    def _note(self, difference: Difference) -> None:
        self.found.append(difference)

    def _say(self, what: str, *, aloud: bool = True) -> None:
        line = f"{time.monotonic() - self._began:7.1f} s  {what}"
        self._log.append(line)
        if aloud:
            self._say_aloud(line)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _compact_often(settings: Settings, *, changelog: bool) -> None:
    """Use small segments and no delay, so that definitions are compacted within a run. The changelog is
    compacted as usual (`changelog`) or not at all, so that reading it takes long."""
    wanted = {
        topic_name(settings, TOPIC): {
            "segment.ms": "4000",
            "min.compaction.lag.ms": "0",
            "max.compaction.lag.ms": "4000",
            "min.cleanable.dirty.ratio": "0.01",
        },
        changelog_topic(settings): {
            "min.compaction.lag.ms": "86400000",
            "max.compaction.lag.ms": "864000000",
        },
    }
    if changelog:
        del wanted[changelog_topic(settings)]
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    changes = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in configuration.items()
            ],
        )
        for name, configuration in wanted.items()
    ]
    for done in admin.incremental_alter_configs(changes).values():
        done.result(60)
