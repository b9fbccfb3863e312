"""A folder of definitions, read and put into an order in which they can be saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

from streamseg.catalogue.references import references_of
from streamseg.cli.definition_files import SUFFIXES, parse_definition, without_managed
from streamseg.errors import Code, ConfigurationError, RejectedError
from streamseg.json_text import dumps
from streamseg.plan.definition_records import read_definition


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a file was not saved or a segment not deleted. `file` is None for a deletion. `code` and
    `path` are the contract's; `title` is the display name of the code."""

    file: str | None
    segment_id: str | None
    code: str
    title: str
    path: str
    message: str

    def wire(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "segment_id": self.segment_id,
            "code": self.code,
            "path": self.path,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """A segment as a file defines it.

    file        its path below the folder
    definition  the file's content, with segment_id and without the keys that the catalogue sets itself
    """

    file: str
    segment_id: str
    definition: dict[str, Any]

    def references(self) -> Iterator[tuple[str, str]]:
        """Return the segments to which the definition refers, each with the path of the condition."""
        return references_of(self.definition)


def read_folder(folder: Path) -> tuple[list[Wanted], list[tuple[str, str | None, RejectedError]]]:
    """Return the definitions in the YAML and JSON files below a folder, by path, and the refused files: file,
    segment id if known, and error. Hidden files and folders are left out. A file without segment_id defines
    the segment that has the file's name.

    Raises ConfigurationError if the folder does not exist or contains no definition.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(step.startswith(".") for step in path.relative_to(folder).parts)
    )
    if not files:
        raise ConfigurationError(f"{folder} holds no definition: no file ends in {', '.join(SUFFIXES)}")
    found: dict[str, Wanted] = {}
    refused: list[tuple[str, str | None, RejectedError]] = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        segment_id = None
        try:
            definition = {"segment_id": path.stem, **_parse(path)}
            segment_id = str(definition["segment_id"])
            read_definition(dumps(definition), max_conditions=None)
            if segment_id in found:
                other = found[segment_id].file
                raise RejectedError(Code.CONFLICT, f"{segment_id} is in {other} too; keep one", "segment_id")
            found[segment_id] = Wanted(name, segment_id, without_managed(definition))
        except RejectedError as error:
            refused.append((name, segment_id, error))
    return list(found.values()), refused


def _parse(path: Path) -> dict[str, Any]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise RejectedError(Code.INVALID_JSON, f"cannot be read: {error.strerror}") from error
    return parse_definition(source, json=path.suffix.lower() == ".json")


def in_order(wanted: Iterable[Wanted]) -> tuple[list[Wanted], list[tuple[Wanted, RejectedError]]]:
    """Return the segments in an order in which those referred to come first, and separately those that refer
    to each other in a circle, which cannot be saved."""
    left = {one.segment_id: one for one in wanted}
    circular: list[tuple[Wanted, RejectedError]] = []
    while True:
        graph = {
            segment_id: [referred for referred, _ in one.references() if referred in left]
            for segment_id, one in left.items()
        }
        try:
            return [left[segment_id] for segment_id in TopologicalSorter(graph).static_order()], circular
        except CycleError as error:
            # graphlib gives the circle from the referred side: each segment is referred to by the next one.
            circle = error.args[1][::-1]
            for segment_id, referred in pairwise(circle):
                one = left.pop(segment_id)
                path = next(path for other, path in one.references() if other == referred)
                message = f"refers to itself: {' -> '.join(circle)}"
                circular.append((one, RejectedError(Code.REFERENCE_CYCLE, message, path)))


def comparable(definition: dict[str, Any], given: Mapping[str, Any], account: str | None) -> dict[str, Any]:
    """Return a definition in a form in which equal definitions are equal: without defaults and without the
    keys that the catalogue sets itself. Group and sharing are included only if `given` has them, since they
    do not change otherwise. The owner is never in `shared_with`."""
    plain = without_managed(definition)
    normal = _without_defaults(plain)
    normal.pop("group", None)
    normal.pop("shared_with", None)
    if "group" in given:
        normal["group"] = plain.get("group", "default")
    if "shared_with" in given:
        normal["shared_with"] = sorted(set(plain.get("shared_with", ())) - {account})
    return normal


def _without_defaults(definition: dict[str, Any]) -> dict[str, Any]:
    try:
        model = read_definition(dumps(definition), max_conditions=None)
    except RejectedError:
        # A newer worker's definition may have fields that this release does not know, so it is compared as it
        # is written.
        return definition
    return model.model_dump(mode="json", exclude_defaults=True)
