"""The exceptions that streamseg raises.

StreamsegError
├── RejectedError          refused input: a code of the contract, a path, what to do
│   └── UnforeseenError    input refused because of a fault of the program
├── FileFormatError        a replay file that is not NDJSON
├── StateVersionError      state bytes of another layout
├── StateMoveError         an export, an import or a reset that was refused
└── ConfigurationError     wrong settings or topics
    ├── EmptyStateError       input was applied before, and its state is gone
    └── IncompleteStateError  an import was not completed
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from schemas.paths import join_path


class Code(StrEnum):
    """The contract's stable codes for refused input."""

    INVALID_JSON = "invalid_json"
    INVALID_SCHEMA = "invalid_schema"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    INVALID_VALUE = "invalid_value"
    OCCURRED_IN_FUTURE = "occurred_in_future"
    UNKNOWN_REFERENCE = "unknown_reference"
    REFERENCE_CYCLE = "reference_cycle"
    NOT_PERMITTED = "not_permitted"
    IN_USE = "in_use"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"


class StreamsegError(Exception):
    """The base class of all exceptions of streamseg."""


class RejectedError(StreamsegError):
    """Input was refused and changed nothing. `path` is the dotted path of the field at fault, or empty."""

    def __init__(self, code: Code, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.message = message
        self.path = path


class UnforeseenError(RejectedError):
    """Input was refused because the program failed at it with the exception `fault`. Please report it."""

    def __init__(self, fault: Exception) -> None:
        # The text of the exception may hold values, which must not be in a dead letter.
        problem = f"a fault of this release ({type(fault).__name__}); the worker's log says more, report it"
        super().__init__(Code.INVALID_SCHEMA, problem)
        self.fault = fault


@contextmanager
def refusing_faults() -> Iterator[None]:
    """Refuse one input if the program fails while it checks the input, which changes nothing.

    Without this, the failure would end the worker, and every next worker that reads the input. Do not put it
    around reading or writing: these fail because of the broker or the disk, whatever the input.
    Raises UnforeseenError."""
    try:
        yield
    except RejectedError:
        raise
    except Exception as error:
        raise UnforeseenError(error) from error


@contextmanager
def located_below(field: str) -> Iterator[None]:
    """Put a field's name in front of the path of every refusal inside the block, which checks the content of
    that field. Raises RejectedError."""
    try:
        yield
    except RejectedError as error:
        raise RejectedError(error.code, error.message, join_path(field, error.path)) from error


class FileFormatError(StreamsegError):
    """A replay file has a line that is not a JSON object. Correct or remove that line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line} {problem}")
        self.line = line


class StateVersionError(StreamsegError):
    """The state was written by another release. A local folder can be rebuilt from a changelog of this
    release. If the changelog is of another release too, a new application id starts again from the input."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(
            f"state has layout version {found}, this release reads {wanted}; "
            "remove the state folder to rebuild it, give the workers a new STREAMSEG_APPLICATION_ID if the "
            "changelog is of that version too, or run the release that wrote it"
        )


class ConfigurationError(StreamsegError):
    """A setting, a topic or a broker is wrong. The message says which one and what to change."""


class MoveCode(StrEnum):
    """The stable codes for a refused export, import or reset of state."""

    EXPORT_UNREADABLE = "export_unreadable"
    EXPORT_INCOMPLETE = "export_incomplete"
    EXPORT_CHANGED = "export_changed"
    NOT_EMPTY = "not_empty"
    MEMBERS_ACTIVE = "members_active"
    INPUT_LOST = "input_lost"
    ERASURES_UNKNOWN = "erasures_unknown"
    OTHER_PLACES = "other_places"
    OTHER_DEFINITIONS = "other_definitions"
    BUSY = "busy"


class StateMoveError(StreamsegError):
    """An export, an import or a reset of state was refused. The message says what to do."""

    def __init__(self, code: MoveCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class EmptyStateError(ConfigurationError):
    """The group has committed input of a partition, and the partition's changelog is empty: the topic was
    lost, or the settings name another cluster, prefix or application id. A worker that went on would treat
    every contact as new."""

    code = "empty_state"

    def __init__(self, partition: int, changelog: str) -> None:
        super().__init__(
            f"{self.code}: input of partition {partition} was applied before, but the changelog {changelog} "
            "has no state of it. Check STREAMSEG_BOOTSTRAP_SERVERS, STREAMSEG_TOPIC_PREFIX and "
            "STREAMSEG_APPLICATION_ID. If the topic is lost, import an export under a new application id "
            "(streamseg state import). To begin again without the old state: streamseg reset, or "
            "STREAMSEG_ACCEPT_EMPTY_STATE=true (--accept-empty-state)"
        )


class IncompleteStateError(ConfigurationError):
    """An import into a partition's changelog was not completed."""

    code = "incomplete_state"

    def __init__(self, partition: int) -> None:
        super().__init__(
            f"{self.code}: an import is writing the state of partition {partition}, or was interrupted. Wait "
            "until it has ended. If it failed: streamseg reset, remove the data folders, and import again"
        )
