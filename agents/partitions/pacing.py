"""How fast a worker goes: how long it waits, how much it takes at once, when it gives up.

These numbers balance each other, so they stand together. They are no settings: what an installation has to
choose is in `streamseg.settings`. Another instance is for tests, and for whoever measures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """The names end in the unit: ms, seconds, bytes, records, contacts."""

    # -- reading the source topics -----------------------------------------------------------------------

    fetch_wait_ms: int = 50
    """How long the broker may hold back an empty answer. A partition that was left out of a fetch waits so
    long for the next one, so it bounds how late a record can be seen; stock Faust waits 1.5 s."""

    flowing_fetch_wait_ms: int = 10
    """The same while records flow: short then, and an idle worker does not ask a hundred times a second."""

    flowing_seconds: float = 1.0
    """Records count as flowing so long after the last one."""

    poll_records: int = 2_000
    """How many records one poll returns at most."""

    poll_seconds: float = 1.0
    """How long a poll waits for the first record."""

    held_back_poll_seconds: float = 0.02
    """The same while a partition has no room: a poll is not woken by a partition that is wanted again, so it
    must not be long. The worker asks as often whether the group still counts it in."""

    between_polls_seconds: float = 0.01
    """The least time from one poll to the next: records that come in a moment are handed on together, since a
    poll costs what several of them do."""

    queued_bytes: int = 16 << 20
    """How long the values of the records that wait for a partition may be together before no more are
    fetched; `Settings.queued_records` bounds their number."""

    # -- a step of one partition: what others wait for, so some milliseconds at most ----------------------

    step_records: int = 64
    """How many records a step applies at most."""

    step_bytes: int = 256 << 10
    """After how many bytes of records a step ends."""

    step_due: int = 32
    """How many due contacts a step settles at most while no record waits."""

    step_due_beside_records: int = 8
    """The same while records wait: so few that a crowd does not hold up the records, and not none, so that
    records do not hold up the crowd for good."""

    sweep_contacts: int = 64
    """How many contacts a step brings up to changed definitions at most, and likewise of a recount."""

    sweep_seconds: float = 0.008
    """A step that took longer for that makes the next one half as large; below a quarter of it, twice."""

    recount_seconds: float = 0.004
    """How long a step evaluates contacts of a recount that was asked for."""

    turns: int = 4
    """How many turns of the event loop follow a step. A record on its way from Kafka, or a change on its way
    there, passes through several tasks, and each hop is a turn: with several it does not wait for a step at
    each. A turn in which nothing is ready costs next to nothing."""

    idle_seconds: float = 0.05
    """How long a partition without work sleeps when nothing wakes it. Time alone makes contacts due, so this
    bounds how late they are noticed."""

    # -- sending changes: the busier the worker, the more of them go together ------------------------------

    at_once_seconds: float = 0.005
    """How long changes wait while the worker has time to spare."""

    easy_load: float = 0.5
    """Up to this share of a processor core the worker has time to spare."""

    strained_seconds: float = 0.04
    """How much longer changes wait where the whole core is in use; in between, in proportion."""

    behind_seconds: float = 1.5
    """How much longer changes wait where many records wait, since a catch-up does not need them at once."""

    backlog_records: int = 1_280
    """From how many waiting records on that is so in full; below, in proportion."""

    report_seconds: float = 0.5
    """How often a partition's progress and counts are noted for the catalogue."""

    # -- changelogs --------------------------------------------------------------------------------------

    changelog_look_seconds: float = 30.0
    """How often a worker looks whether anybody else has written to the changelogs of its partitions. Far
    below `agents.kafka.topics.CHANGELOG_COMPACTION_LAG_MS`, which gives it the time to find that."""

    # -- starting and stopping ---------------------------------------------------------------------------

    last_commit_seconds: float = 5.0
    """How long a worker that stops waits for its last commit, which needs brokers that answer."""

    consumer_stop_seconds: float = 5.0
    """How long it waits for the consumer to leave the group."""

    stop_seconds: float = 60.0
    """How long the whole stop may take before it is given up."""

    crashed_stop_seconds: float = 40.0
    """The same after a crash: what hangs must not keep the worker from being started again."""

    interrupted_start_seconds: float = 5.0
    """How long a start that a stop came into may take to end."""


DEFAULT_PACING = Pacing()
