"""The manifest of an export: what the export holds and up to where, with a digest of each file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from streamseg.errors import MoveCode, StateMoveError

NAME: Final = "manifest.json"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Model):
    """One file.

    file, size, sha256  its name, its size in bytes and the digest of these bytes
    lines               how many lines it has
    """

    file: str
    size: int
    sha256: str
    lines: int


class PartitionPart(Part):
    """The contacts of one partition, one line each.

    partition      its number
    changelog_end  the offset up to which the changelog was read
    events         how many kept events the lines hold; those derived from one record count as one
    unsent         how many contacts have outputs that may not have been sent
    growth         how many contacts entered and left each segment, one line a segment
    notes          the notes of the partition: its clock, the offsets up to which input was applied, …
    """

    partition: int
    changelog_end: int
    events: int
    unsent: int
    growth: Part
    notes: dict[str, Any]


class TopicPart(Part):
    """The records of a topic with one partition, one line each.

    topic     its name without prefix
    topic_id  the id that the brokers gave it
    end       the offset up to which it was read
    """

    topic: str
    topic_id: str
    end: int


class Manifest(_Model):
    """What an export holds.

    format           the version of the form of the files
    made_at          when it was begun, RFC 3339
    release, layout  what wrote it, and the layout of the state which that release writes
    application_id, topic_prefix, partitions   of the installation
    numbers          source topic -> the least number that is greater than those of all applied records
    source_ids       source topic, and `segment-commands` -> the id that the brokers gave it
    commands_offset  the first command that was not decided; None: the group has committed none
    contacts         the files of the partitions
    topics           the files of `segment-definitions` and `segment-catalog`
    """

    format: Literal[1]
    made_at: str
    release: str
    layout: int
    application_id: str
    topic_prefix: str
    partitions: int
    numbers: dict[str, int]
    source_ids: dict[str, str]
    commands_offset: int | None
    contacts: tuple[PartitionPart, ...]
    topics: tuple[TopicPart, ...]

    @property
    def group(self) -> str:
        """The workers' consumer group."""
        return f"{self.topic_prefix}{self.application_id}"

    @property
    def files(self) -> list[Part]:
        """All files."""
        return [*self.contacts, *(part.growth for part in self.contacts), *self.topics]

    @property
    def count(self) -> int:
        """The number of contacts."""
        return sum(part.lines for part in self.contacts)

    def write(self, folder: Path) -> None:
        """Write the manifest; it appears only when it is complete."""
        unfinished = folder / f"{NAME}.unfinished"
        unfinished.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        unfinished.replace(folder / NAME)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest of an export. Raises StateMoveError if there is none or it is of another
        form."""
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except OSError as error:
            raise StateMoveError(
                MoveCode.EXPORT_INCOMPLETE,
                f"{folder / NAME} cannot be read ({error.strerror}); an export without it is not complete",
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(map(str, first["loc"]))
            raise StateMoveError(
                MoveCode.EXPORT_UNREADABLE,
                f"{folder / NAME}: {path}: {first['msg']}; import it with the release that wrote it",
            ) from error
