"""A catalogue that applies commands, as its one writer does."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.commands import SEGMENT_COMMAND
from streamseg.catalogue import calculation
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.rules import decide
from streamseg.catalogue.state import Catalogue, Entry
from streamseg.errors import RejectedError
from streamseg.settings import Settings

Json = dict[str, Any]

ANN, BEN, EVE = "ann@x.cn", "ben@x.cn", "eve@x.cn"
NOW = 1_777_593_600_000
NOW_TEXT = "2026-05-01T00:00:00.000Z"
SETTINGS = Settings()


def clusters(*conditions: Json) -> list[Json]:
    return [
        {"match": "all", "conditions": list(conditions) or [{"attribute": "email", "operator": "is_set"}]}
    ]


def standard(segment_id: str, *conditions: Json, **more: Any) -> Json:
    return {
        "segment_id": segment_id,
        "type": "standard",
        "name": segment_id,
        "clusters": clusters(*conditions),
        **more,
    }


def advanced(segment_id: str, *conditions: Json, **more: Any) -> Json:
    parts = [{"relation": "include", "clusters": clusters(*conditions)}]
    return {"segment_id": segment_id, "type": "advanced", "name": segment_id, "parts": parts, **more}


def static(segment_id: str, **more: Any) -> Json:
    return {"segment_id": segment_id, "type": "static", "name": segment_id, **more}


def member_of(segment_id: str) -> Json:
    return {"segment": segment_id}


class Desk:
    """Decides, applies and remembers everything that was written."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.catalogue = Catalogue()
        self.settings = settings
        self.now_ms = NOW
        self.offset = -1
        self.definitions: list[tuple[str, Json | None]] = []
        self.rows: list[tuple[str, Json | None]] = []

    def ask(self, account: str, command: str, *, offset: int | None = None, **fields: Any) -> Decision:
        """Give a command, at the next offset unless said otherwise."""
        if offset is None:
            self.offset += 1
            offset = self.offset
        value = {"command": command, "account": account, **fields}
        decision = decide(
            self.catalogue,
            SEGMENT_COMMAND.validate_python(value),
            now_ms=self.now_ms,
            offset=offset,
            settings=self.settings,
        )
        self.publish(decision)
        return decision

    def publish(self, decision: Decision) -> None:
        self.definitions += decision.definitions
        self.rows += decision.rows
        self.catalogue.apply(decision)

    def create(self, account: str, definition: Json) -> Entry:
        self.ask(account, "create", definition=definition)
        return self.entry(definition["segment_id"])

    def finish(self, segment_id: str, *, contacts: int = 5, generation: int = 1) -> Entry:
        """Run a calculation to its end."""
        self.publish(calculation.begin(self.catalogue, segment_id, generation=generation))
        self.publish(
            calculation.complete(self.catalogue, segment_id, generation=generation, contacts=contacts)
        )
        return self.entry(segment_id)

    def refusal(self, account: str, command: str, **fields: Any) -> tuple[str, str]:
        """Code and path by which a command is refused, having changed nothing."""
        before = self.reloaded()
        with pytest.raises(RejectedError) as caught:
            self.ask(account, command, **fields)
        assert self.catalogue == before
        assert caught.value.message
        return caught.value.code.value, caught.value.path

    def reloaded(self) -> Catalogue:
        """The catalogue that a restart would read."""
        return Catalogue.load(self.definitions, self.rows)

    def entry(self, segment_id: str) -> Entry:
        return self.catalogue.segments[segment_id]
