"""`streamseg segments apply`: save a folder of definitions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from streamseg.cli import words
from streamseg.cli.arguments import Yes
from streamseg.cli.client import ApiError
from streamseg.cli.comparison import Change, Difference, compare, refusal
from streamseg.cli.folder import Refusal
from streamseg.cli.session import Session

_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def apply(
    session: Session,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of definitions in YAML or JSON, one in each file.")
    ],
    yes: Yes = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete your segments that are not in the folder.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False,
    calculate: Annotated[
        bool, typer.Option("--calculate", help="Calculate advanced segments after saving them.")
    ] = False,
) -> None:
    """Save a folder of definitions: show how your segments differ from it, ask, and save.

    A file without segment_id defines the segment that has the file's name. Segments that others refer to are
    saved first. A refused file is listed with its path, and the other files are saved. If anything is
    refused, nothing is deleted and the exit status is 1.

    Example: streamseg segments apply segments/ --dry-run
    """
    if session.as_json and not (yes or dry_run):
        raise typer.BadParameter(
            "give --yes or --dry-run with it: JSON is printed once, at the end", param_hint="--json"
        )
    difference = compare(session.api, folder, session.language, prune=prune, check=dry_run)
    if not session.as_json:
        _show(session, difference, prune=prune)
    prunes = prune and bool(difference.absent)
    outcome = _Outcome(session, list(difference.refused))
    if not dry_run and (difference.changes or (prunes and not difference.refused)):
        if not yes:
            session.confirm(words.FOLDER_CONFIRM)
        outcome.save(difference.changes, calculate=calculate)
        if prunes and not outcome.refused:
            outcome.delete(difference.absent)
        if not session.as_json:
            outcome.show()
    elif not session.as_json and not difference.changes and not prunes:
        session.say(words.FOLDER_NOTHING)
    if prunes and outcome.refused and not session.as_json:
        session.note(words.PRUNE_WITHHELD)
    if session.as_json:
        session.print_json(outcome.wire(difference, dry_run=dry_run))
    if outcome.refused:
        raise typer.Exit(1)


class _Outcome:
    """The results of saving and deleting."""

    def __init__(self, session: Session, refused: list[Refusal]) -> None:
        self._session = session
        self._before = len(refused)
        self._created: list[str] = []
        self._changed: list[str] = []
        self._deleted: list[str] = []
        self._uncalculated: list[str] = []
        self.refused = refused

    def save(self, changes: Iterable[Change], *, calculate: bool) -> None:
        """Save the changes one by one. If one is refused, the others are saved all the same."""
        for change in changes:
            wanted = change.wanted
            try:
                if change.version is None:
                    saved = self._session.api.post("segments", body=wanted.definition)
                    self._created.append(wanted.segment_id)
                else:
                    body = {**wanted.definition, "version": change.version}
                    saved = self._session.api.put("segments", wanted.segment_id, body=body)
                    self._changed.append(wanted.segment_id)
                if saved["status"] == "not_calculated":
                    self._calculate(wanted.segment_id, wanted=calculate)
            except ApiError as error:
                self.refused.append(refusal(wanted.file, wanted.segment_id, error, self._session.language))

    def _calculate(self, segment_id: str, *, wanted: bool) -> None:
        # A segment that refers to this one can be saved only after this one is calculated, so the calculation
        # is started here and not at the end.
        if wanted:
            self._session.api.post("segments", segment_id, "calculate")
        else:
            self._uncalculated.append(segment_id)

    def delete(self, segment_ids: Iterable[str]) -> None:
        """Delete all segments or none, in one command, so that their order does not matter."""
        doomed = list(segment_ids)
        try:
            self._session.api.post("batch", "delete", body={"segment_ids": doomed})
            self._deleted += doomed
        except ApiError as error:
            self.refused.append(refusal(None, None, error, self._session.language))

    def show(self) -> None:
        """Show what was done, and what was refused while saving."""
        _show_refusals(self._session, self.refused[self._before :])
        self._session.say(
            words.FOLDER_DONE,
            created=len(self._created),
            changed=len(self._changed),
            deleted=len(self._deleted),
            refused=len(self.refused),
        )
        if self._uncalculated:
            self._session.note(words.UNCALCULATED, ids=", ".join(self._uncalculated))

    def wire(self, difference: Difference, *, dry_run: bool) -> dict[str, Any]:
        """Return the difference and, except for a dry run, what was done about it."""
        found: dict[str, Any] = {
            "to_create": [change.wire() for change in difference.created],
            "to_change": [change.wire() for change in difference.changed],
            "unchanged": list(difference.unchanged),
            "not_in_folder": list(difference.absent),
            "refused": [one.wire() for one in self.refused],
        }
        if not dry_run:
            found |= {
                "created": self._created,
                "changed": self._changed,
                "deleted": self._deleted,
                "not_calculated": self._uncalculated,
            }
        return found


def _show(session: Session, difference: Difference, *, prune: bool) -> None:
    for change in difference.changes:
        label = words.FOLDER_CREATED if change.version is None else words.FOLDER_CHANGED
        session.out.print(
            f"{session.word(label)}  {change.wanted.segment_id}  {change.wanted.file}", style="bold"
        )
        for line in change.words.splitlines():
            session.out.print(Text(line, style=_DIFF_STYLES.get(line[:1], "")), soft_wrap=True)
        session.out.print()
    absent = words.FOLDER_PRUNED if prune else words.FOLDER_ABSENT
    for label, segment_ids in ((words.FOLDER_UNCHANGED, difference.unchanged), (absent, difference.absent)):
        for segment_id in segment_ids:
            session.out.print(f"{session.word(label)}  {segment_id}", soft_wrap=True)
    _show_refusals(session, difference.refused)
    session.say(
        words.FOLDER_SUMMARY,
        created=len(difference.created),
        changed=len(difference.changed),
        unchanged=len(difference.unchanged),
        absent=len(difference.absent),
        refused=len(difference.refused),
    )


def _show_refusals(session: Session, refusals: Iterable[Refusal]) -> None:
    for one in refusals:
        fields = (one.file or one.segment_id or "", one.path, one.title, one.message)
        line = f"{session.word(words.FOLDER_REFUSED)}  {': '.join(field for field in fields if field)}"
        session.err.print(line, style="red", soft_wrap=True)
