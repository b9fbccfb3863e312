"""Commands of callers, and the catalogue as they see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from agents.api.auth import ACCOUNT
from agents.api.preconditions import precondition_failed, wanted_versions
from agents.api.problems import ProblemError, language_of, not_found
from agents.api.requests import to_the_end, words_wanted
from agents.api.roles import CALLER, Right
from agents.api.slices import in_thread
from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.command_client import CommandClient
from agents.catalogue.outcome import Outcome
from schemas.commands import SEGMENT_COMMAND, SegmentCommand
from streamseg.catalogue import listing
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.labels import STATUSES, TYPES
from streamseg.catalogue.listing import ListedSegment
from streamseg.catalogue.rules import PRECONDITION, decide
from streamseg.catalogue.state import Catalogue, Entry
from streamseg.errors import RejectedError
from streamseg.json_text import Json
from streamseg.language.condition_count import check_condition_count
from streamseg.records.messages import checked_by
from streamseg.settings import Settings
from streamseg.wording.bodies import definition_words
from streamseg.wording.order import in_written_order

_RIGHTS = {"view_contacts": Right.CONTACTS, "view_conditions": Right.READ}


class CatalogueView:
    """The functions that the handlers of segments and groups share."""

    def __init__(
        self,
        settings: Settings,
        commands: CommandClient,
        catalogue_topic: CatalogueTopic,
        now_ms: Callable[[], int],
    ) -> None:
        """`now_ms` returns the time by which the worker decides, epoch ms."""
        self._settings = settings
        self.now_ms = now_ms
        self._commands = commands
        self._catalogue_topic = catalogue_topic

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue_topic.catalogue

    async def give(self, request: web.Request, command: str, *, below: str = "", **fields: Any) -> Outcome:
        """Carry out a command and return its outcome. `below` is the field of the command that is the
        caller's whole body; it is removed from the paths of errors.

        Raises ProblemError, and TimeoutError if the outcome did not arrive.
        """
        body = {"command": command, "account": request[ACCOUNT], **fields}
        await self._read(body, below)
        outcome = await to_the_end(self._commands.give(body, versions=self._wanted_versions(request)))
        if outcome.code is not None and outcome.path == PRECONDITION:
            raise precondition_failed(PRECONDITION, outcome.current_version)
        if outcome.code is not None:
            raise ProblemError(
                outcome.code,
                outcome.message,
                _below(outcome.path, below),
                current_version=outcome.current_version,
            )
        return outcome

    async def try_out(self, request: web.Request, command: str, **fields: Any) -> None:
        """Raise the error that `give` would raise, as far as this worker can know it; change nothing."""
        catalogue = self.catalogue
        read = await self._read({"command": command, "account": request[ACCOUNT], **fields}, "")

        def decided() -> Decision:
            return decide(
                catalogue,
                read,
                now_ms=self.now_ms(),
                offset=catalogue.command_offset + 1,
                settings=self._settings,
            )

        await in_thread(lambda _: decided())

    async def _read(self, body: Json, below: str) -> SegmentCommand:
        try:
            check_condition_count(body.get("definition"), self._settings.max_conditions, at="definition")
            return await in_thread(lambda _: checked_by(SEGMENT_COMMAND, body))
        except RejectedError as error:
            raise ProblemError(error.code, error.message, _below(error.path, below)) from error

    def _wanted_versions(self, request: web.Request) -> frozenset[int] | None:
        """Return the versions that the request's preconditions require of the segment in its address; None
        without a segment or precondition."""
        entry = self.catalogue.segments.get(request.match_info.get("segment_id", ""))
        return None if entry is None else wanted_versions(request, entry.row.version)

    def visible(self, request: web.Request) -> tuple[str, Entry]:
        """Return the segment in the address. Raises ProblemError if it does not exist, RejectedError if the
        account may not see it."""
        segment_id = request.match_info["segment_id"]
        entry = self.catalogue.segments.get(segment_id)
        if entry is None:
            raise not_found("segment", "segment_id")
        listing.row(self.catalogue, request[ACCOUNT], segment_id)
        return segment_id, entry

    def seen_by(self, account: str) -> Callable[[str], bool]:
        """Return a function that tells whether the account sees the segment with an id."""
        segments = self.catalogue.segments

        def seen(segment_id: str) -> bool:
            entry = segments.get(segment_id)
            return entry is not None and entry.readable_by(account)

        return seen

    def saw_by(self, account: str) -> Callable[[str], bool]:
        """Return a function that tells whether the account sees the segment with an id, or saw it before it
        was deleted, as long as it can be restored."""
        seen = self.seen_by(account)
        deleted = {
            one.segment_id
            for one in self.catalogue.deletions
            if one.definition.get("created_by") in (None, account)
            or account in (one.definition.get("shared_with") or ())
        }
        return lambda segment_id: (
            seen(segment_id) or (segment_id in deleted and segment_id not in self.catalogue.segments)
        )

    def segment(self, request: web.Request, segment_id: str) -> Json:
        """Return a segment as the account sees it, with its definition and the segments that refer to it, and
        with the definition's sentence if the request asks for words."""
        language = language_of(request)
        row = listing.row(self.catalogue, request[ACCOUNT], segment_id, language=language)
        # As in the row: only the owner sees the accounts it is shared with, and a group that does not exist
        # is `default`.
        visible = {"group": row.group, "shared_with": list(row.shared_with)}
        definition = self.catalogue.segments[segment_id].definition
        definition = {**definition, **{name: one for name, one in visible.items() if name in definition}}
        users, hidden = listing.users(self.catalogue, request[ACCOUNT], segment_id)
        named = [{"segment_id": one, "name": self.catalogue.segments[one].row.name} for one in users]
        shown = {
            **labelled(request, row),
            "definition": in_written_order(definition) or None,
            "used_in": named,
            "used_in_hidden": hidden,
        }
        wanted = words_wanted(request)
        if wanted is not None:
            shown["words"] = definition_words(definition, wanted)
        return shown


def labelled(request: web.Request, row: ListedSegment) -> Json:
    """Return a row with the display names of its type and status, and with the operations that the caller's
    role permits."""
    language, caller = language_of(request), request[CALLER]
    return {
        **row.wire(),
        "operations": [one for one in row.operations if caller.may(_RIGHTS.get(one, Right.EDIT))],
        "type_label": TYPES[row.type].of(language),
        "status_label": STATUSES[row.status].of(language),
    }


def _below(path: str, field: str) -> str:
    return path.removeprefix(field).removeprefix(".") if field else path
