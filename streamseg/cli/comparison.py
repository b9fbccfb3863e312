"""The difference between a folder of definitions and an account's segments."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamseg.catalogue.formula import same_json
from streamseg.catalogue.labels import COLUMNS, ERRORS, TYPES, Language
from streamseg.cli import words
from streamseg.cli.client import Api, ApiError
from streamseg.cli.definition_files import to_yaml
from streamseg.cli.folder import Refusal, Wanted, comparable, in_order, read_folder
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json
from streamseg.wording.bodies import definition_outline
from streamseg.wording.details import detail
from streamseg.wording.order import in_written_order
from streamseg.wording.tokens import word

_FIELDS = {"name": COLUMNS["name"], "segment_id": words.SEGMENT_ID, "group": words.GROUP}


@dataclass(frozen=True, slots=True)
class Change:
    """A segment to be saved: created if `version` is None, else changed from that version. `diff` is a
    unified diff of the definitions as YAML, `words` a unified diff of their sentences."""

    wanted: Wanted
    version: int | None
    diff: str
    words: str

    def wire(self) -> dict[str, Any]:
        return {
            "segment_id": self.wanted.segment_id,
            "file": self.wanted.file,
            "diff": self.diff,
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """The steps that make the account's segments equal to the folder.

    changes    the segments to save, in this order: segments referred to come first
    unchanged  ids of segments that are equal to the folder's
    absent     ids of the account's segments that are not in the folder
    refused    the files that cannot be saved
    """

    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]
    absent: tuple[str, ...]
    refused: tuple[Refusal, ...]

    @property
    def created(self) -> list[Change]:
        return [change for change in self.changes if change.version is None]

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.changes if change.version is not None]


def compare(api: Api, folder: Path, language: Language, *, prune: bool, check: bool = False) -> Difference:
    """Return the difference between the folder and the account's segments; nothing is changed.

    With `check`, ask the API whether it would save each segment. With `prune`, treat segments that are not in
    the folder as deleted: a reference to one is refused. Raises ConfigurationError for the folder, ApiError
    and UnreachableError.
    """
    read, unreadable = read_folder(folder)
    ordered, circular = in_order(read)
    refused = [refusal(file, segment_id, error, language) for file, segment_id, error in unreadable]
    refused += [refusal(one.file, one.segment_id, error, language) for one, error in circular]
    seen = {row["segment_id"] for row in api.segments()}
    own = {row["segment_id"] for row in api.segments(mine=True)}
    named = {one.segment_id for one in read}
    named.update(segment_id or Path(file).stem for file, segment_id, _ in unreadable)
    absent = sorted(own - named)
    known = seen | named
    if prune:
        known.difference_update(absent)
    changes: list[Change] = []
    unchanged: list[str] = []
    for one in ordered:
        try:
            _check(one, known=known, foreign=seen - own, pruned=absent if prune else ())
            change = _change(api, one, language, exists=one.segment_id in own)
            if check and change is not None:
                _try_out(api, one, saved_before={other.wanted.segment_id for other in changes})
        except (RejectedError, ApiError) as error:
            refused.append(refusal(one.file, one.segment_id, error, language))
            continue
        if change is None:
            unchanged.append(one.segment_id)
        else:
            changes.append(change)
    return Difference(tuple(changes), tuple(unchanged), tuple(absent), tuple(refused))


def refusal(
    file: str | None, segment_id: str | None, error: RejectedError | ApiError, language: Language
) -> Refusal:
    """Return a refusal made from an error of this package or of the API."""
    if isinstance(error, RejectedError):
        title = ERRORS[error.code].of(language)
        text = detail(error.message, language)
        return Refusal(file, segment_id, error.code.value, title, error.path, text)
    return Refusal(file, segment_id, error.code, error.title, error.path, error.detail)


def _check(one: Wanted, *, known: set[str], foreign: set[str], pruned: Iterable[str]) -> None:
    """Refuse what can be refused before anything is sent."""
    if one.segment_id in foreign:
        raise RejectedError(
            Code.NOT_PERMITTED,
            f"{one.segment_id} belongs to another account; choose another id",
            "segment_id",
        )
    for referred, path in one.references():
        if referred in pruned:
            raise RejectedError(
                Code.UNKNOWN_REFERENCE, f"{referred} is not in the folder, and --prune deletes it", path
            )
        if referred not in known:
            raise RejectedError(
                Code.UNKNOWN_REFERENCE, f"there is no segment {referred}; add it to the folder", path
            )


def _try_out(api: Api, one: Wanted, *, saved_before: set[str]) -> None:
    """Raise the ApiError that saving the segment would raise. Ignore references to segments that will have
    been saved by then."""
    try:
        api.post("check", body={"definition": one.definition})
    except ApiError as error:
        path = error.path.removeprefix("definition.")
        references = {path: referred for referred, path in one.references()}
        if error.code == Code.UNKNOWN_REFERENCE and references.get(path) in saved_before:
            return
        if error.code in ("not_found", "method_not_allowed") and not error.path:
            # A worker of an earlier release cannot check definitions.
            return
        raise


def _change(api: Api, one: Wanted, language: Language, *, exists: bool) -> Change | None:
    """Return the change for one segment; None if the segment is as wanted."""
    if not exists:
        new = comparable(one.definition, one.definition, None)
        return _compared(one, None, "/dev/null", {}, new, language)
    current = api.get("segments", one.segment_id)
    account = current["created_by"]
    before = comparable(current["definition"], one.definition, account)
    after = comparable(one.definition, one.definition, account)
    if same_json(before, after):
        return None
    version: int = current["version"]
    was = f"{one.segment_id} (version {version})"
    return _compared(one, version, was, before, after, language)


def _compared(
    one: Wanted, version: int | None, was: str, before: Json, after: Json, language: Language
) -> Change:
    written = _diff(was, one.file, _lines(before), _lines(after))
    sentences = _diff(was, one.file, _in_words(before, language), _in_words(after, language))
    return Change(one, version, written, sentences or written)


def _lines(definition: Json) -> list[str]:
    return to_yaml(in_written_order(definition)).splitlines() if definition else []


def _in_words(definition: Json, language: Language) -> list[str]:
    """Return a definition in words: its fields, then its conditions, one on each line."""
    if not definition:
        return []
    outline = definition_outline(definition, language)
    if outline is None:
        return _lines(definition)
    fields = [
        f"{label.of(language)}: {word(definition[name], language)}"
        for name, label in _FIELDS.items()
        if name in definition
    ]
    shared = ", ".join(definition.get("shared_with", ()))
    kind = TYPES[definition["type"]].of(language)
    return [*fields, kind, *([f"{words.SHARED_WITH.of(language)}: {shared}"] if shared else []), *outline]


def _diff(was: str, becomes: str, before: Sequence[str], after: Sequence[str]) -> str:
    return "\n".join(difflib.unified_diff(before, after, was, becomes, lineterm=""))
