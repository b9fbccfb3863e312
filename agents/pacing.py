"""The pace of a worker: how long it waits, how much it does at once, and when it gives up.

These numbers balance each other, so they are kept together. They are not settings: an installation makes its
choices in `streamseg.settings`. Only tests and measurements use other values. A number that belongs to one
algorithm alone stands there, for example how often a clock is compared, or how long a slice of a question is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """The pace of one worker. The names end in the unit: ms, seconds, bytes, records, contacts."""

    # -- reading the source topics -----------------------------------------------------------------------

    fetch_wait_ms: int = 100
    """How long the broker may hold back an empty answer; it answers at once when a record arrives. A contact
    is due when an answer says that nothing earlier can come, so this bounds how late it is evaluated. If the
    partitions are with several brokers, a record may also wait so long for the answer of another broker.
    Stock Faust waits 1.5 s."""

    flowing_fetch_wait_ms: int = 10
    """The same while records flow. A worker without input uses a longer time, so it does not ask a hundred
    times a second."""

    flowing_seconds: float = 1.0
    """For so long after the last record, records count as flowing."""

    resting_fetch_wait_ms: int = 250
    """The same while a worker rests. Most of what an idle worker does is to ask the brokers."""

    resting_after_seconds: float = 10.0
    """After so long without a record, a worker rests."""

    poll_records: int = 2_000
    """The greatest number of records that one poll returns."""

    poll_seconds: float = 1.0
    """How long a poll waits for the first record."""

    held_back_poll_seconds: float = 0.02
    """The same while a partition has no room. A poll does not notice that a partition has room again, so it
    must be short. `still_ours` also checks at this interval whether the worker is still in the group."""

    between_polls_seconds: float = 0.01
    """The least time from one poll to the next, unless the last one returned `poll_records`. Records that
    arrive within this time are passed on together, since a poll costs as much as several records."""

    fetch_beside_kept_seconds: float = 0.1
    """Records that were fetched and are not taken yet keep the other partitions of their broker from being
    fetched for so long. They are taken within `between_polls_seconds`, so that one fetch covers all
    partitions; a fetch that leaves one out would delay the records of that one."""

    fetch_beside_held_back_seconds: float = 0.01
    """The same while a partition has no room. Its fetched records wait for long, and the worker would use up
    the records of all other partitions meanwhile."""

    queued_bytes: int = 16 << 20
    """When the values of the records that wait for a partition have this total size, no more are fetched;
    `Settings.queued_records` bounds their number."""

    unsaved_updates: int = 500
    """After so many contact updates a partition makes a checkpoint. Until then it holds all attributes of
    these contacts and what follows from them as objects, some 12 KB for a new contact with 20 attributes."""

    # -- a step of one partition: other partitions wait for it, so it takes some milliseconds at most ------

    step_records: int = 64
    """The greatest number of records that a step applies."""

    step_bytes: int = 256 << 10
    """A step ends after so many bytes of records."""

    step_due: int = 32
    """The greatest number of due contacts that a step evaluates while no record waits."""

    step_due_beside_records: int = 8
    """The same while records wait. The number is small, so that many due contacts do not delay the records;
    it is not 0, so that records do not delay the due contacts for ever."""

    sweep_contacts: int = 64
    """The greatest number of contacts that a step evaluates for a sweep, and for a recount."""

    sweep_seconds: float = 0.006
    """How long a step evaluates contacts for a sweep, so that live input does not wait too long."""

    recount_seconds: float = 0.004
    """How long a step evaluates contacts for a recount."""

    turns: int = 4
    """How many turns of the event loop follow a step after which there is more to do; one turn follows every
    other step. A record from Kafka, or a change to Kafka, passes through several asyncio tasks, and each of
    them takes a turn. With several turns it does not wait for a step at each task. A turn in which nothing is
    ready costs next to nothing."""

    # -- a partition that has nothing to do sleeps until records, a request or one of these times wake it ---

    rest_seconds: float = 1.0
    """The longest sleep. A partition that gets no records moves its clock after it."""

    look_again_seconds: float = 0.05
    """How long a partition sleeps that waits for something which does not wake it: for the answer of a fetch
    that lets it evaluate a contact that is due, or for another partition's checkpoint to end."""

    other_topic_seconds: float = 0.01
    """How long a partition sleeps while its next record waits until the other topic is known to have no
    earlier one. While records flow, the answer comes within `flowing_fetch_wait_ms`."""

    # -- sending changes: the busier the worker, the more of them are sent together ------------------------

    at_once_seconds: float = 0.005
    """How long changes wait while the worker has time to spare."""

    easy_load: float = 0.5
    """A worker that uses up to this share of a processor core has time to spare."""

    strained_seconds: float = 0.04
    """How much longer changes wait while the whole core is used; between the two shares, in proportion."""

    behind_seconds: float = 1.5
    """How much longer changes wait while many records wait, since a catch-up does not need them at once."""

    backlog_records: int = 1_280
    """With so many waiting records or more, changes wait `behind_seconds` longer; with fewer, in
    proportion."""

    report_seconds: float = 0.5
    """The least time between two reports of a partition's progress and counts for the catalogue."""

    reported_counts: int = 20_000
    """How many numbers of members all partitions together may report in a second. A report has the number of
    each segment, and every worker reads all reports: with 1,000 partitions and 1,000 segments, reports twice
    a second would have two million numbers."""

    # -- topics that every worker reads, and commands --------------------------------------------------------

    reader_fetch_wait_ms: int = 500
    """How long the broker may hold back an empty answer to a reader of such a topic and to the leader; it
    answers at once when a record arrives. A question for the end of a topic waits behind such an answer."""

    starting_fetch_wait_ms: int = 20
    """The same while a reader starts, when it asks for the end of its topic."""

    reader_poll_ms: int = 500
    """How long a poll waits for a record of such a topic. A record is passed on when it arrives; the time
    only bounds how soon a reader notices that it has to stop."""

    command_poll_ms: int = 250
    """The same for the leader's commands. Between two polls the leader updates the catalogue, so this bounds
    how late it notices the end of a calculation."""

    count_seconds: float = 1.0
    """The least time between two writings of the segments' counts to the catalogue."""

    expiry_seconds: float = 60.0
    """How often the leader looks for deleted segments that were kept long enough."""

    report_look_seconds: float = 0.25
    """How often a worker looks whether partitions have new reports to write."""

    report_wait_seconds: float = 0.05
    """How often a question that waits for all partitions' reports looks at them."""

    tell_seconds: float = 10.0
    """How often a worker tells the others where it is."""

    silent_seconds: float = 35.0
    """After so long without a sign, a worker that no partition belongs to is taken as gone."""

    # -- trouble with the brokers ------------------------------------------------------------------------

    broker_look_seconds: float = 5.0
    """How often a worker checks whether the brokers fulfil its needs."""

    retry_seconds: float = 1.0
    """How long a part of the worker that failed because of the brokers waits before it tries again; also the
    time between two checks while there is trouble."""

    trouble_log_seconds: float = 60.0
    """How often trouble that lasts is logged again."""

    first_pause_seconds: float = 1.0
    """How long a worker that trouble has ended waits before it starts again in the same process. The pauses
    double, so that a worker that ends again and again does not load the brokers."""

    longest_pause_seconds: float = 60.0
    """The longest of these pauses."""

    lasting_seconds: float = 120.0
    """A worker that has run for so long begins with the first pause again."""

    # -- the clock ---------------------------------------------------------------------------------------

    clock_ask_seconds: float = 30.0
    """How often a worker asks the brokers for their time."""

    clock_ask_in_doubt_seconds: float = 1.0
    """The same while the host's clock is doubted."""

    # -- changelogs --------------------------------------------------------------------------------------

    changelog_look_seconds: float = 30.0
    """How often a worker checks whether another worker has written to the changelogs of its partitions. This
    is far below `agents.kafka.topics.CHANGELOG_COMPACTION_LAG_MS`, so the check comes before compaction."""

    compaction_check_seconds: float = 60.0
    """How often a worker looks whether a partition's database is due to be compacted, or more often if
    `Settings.compaction_interval_ms` is shorter."""

    # -- memory ------------------------------------------------------------------------------------------

    give_back_seconds: float = 60.0
    """How often a worker gives freed memory back to the system."""

    # -- starting and stopping ---------------------------------------------------------------------------

    last_commit_seconds: float = 5.0
    """How long a worker that stops waits for its last commit, which needs brokers that answer."""

    consumer_stop_seconds: float = 5.0
    """How long a worker that stops waits for a consumer to end, and to leave its group if it has one."""

    producer_stop_seconds: float = 5.0
    """How long a worker that stops waits for a producer to end, and how long the leader waits for a
    transaction to be aborted. The next producer ends a transaction that is left open."""

    stop_seconds: float = 60.0
    """How long the whole stop may take before it is given up."""

    crashed_stop_seconds: float = 40.0
    """The same after a crash: a part that hangs must not prevent the next start."""

    interrupted_start_seconds: float = 5.0
    """How long a start that was interrupted by a stop may take to end."""

    def fetch_wait_after(self, silent_seconds: float) -> int:
        """Return how long (ms) the broker may hold back an empty answer, so long after the last record."""
        if silent_seconds < self.flowing_seconds:
            return self.flowing_fetch_wait_ms
        return (
            self.fetch_wait_ms if silent_seconds < self.resting_after_seconds else self.resting_fetch_wait_ms
        )


DEFAULT_PACING = Pacing()
