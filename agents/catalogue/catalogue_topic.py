"""All segments and groups, read from `segment-catalog` and from the definitions in force."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from agents.catalogue.definition_topic import DefinitionTopic
from agents.kafka.topic_reader import TopicReader
from agents.kafka.topics import topic_name
from schemas.topics import SEGMENT_CATALOG
from streamseg.catalogue.adoption import adopt, counted_version
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.formula import same_json
from streamseg.catalogue.state import Catalogue
from streamseg.errors import RejectedError
from streamseg.json_text import Json, loads
from streamseg.language.segments import Segment
from streamseg.plan.plan import Plan
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class CatalogueTopic(TopicReader):
    """Keeps `catalogue` current with both topics. The catalogue contains only what was read from them.

    While `leading`, every definition that was not announced to `expect` was written by somebody else. The
    rows that such definitions need are kept for `adopted`.
    """

    def __init__(self, settings: Settings, definition_topic: DefinitionTopic, **kwargs: Any) -> None:
        super().__init__(settings, topic_name(settings, SEGMENT_CATALOG), self._take_rows, **kwargs)
        self.catalogue = Catalogue()
        self.leading = False
        self._definition_topic = definition_topic
        self._known: dict[str, Segment] = {}
        self._expected: dict[str, Json | None] = {}
        self._adopted: dict[str, Json | None] = {}

    def counted_version(self, segment_id: str, source: bytes) -> int:
        """Return the version of a definition that gives none, by the rows that were read at the start."""
        return counted_version(self.catalogue, segment_id, loads(source))

    def take_plan(self, plan: Plan) -> None:
        """Apply the differences between the plan before and this plan."""
        for segment_id, definition in list(self._changed(plan)):
            if segment_id in self._expected and same_json(self._expected[segment_id], definition):
                del self._expected[segment_id]
            elif self.leading:
                self._adopted.update(adopt(self.catalogue, segment_id, definition).rows)
            self.catalogue.apply(Decision(definitions=((segment_id, definition),)))

    def _changed(self, plan: Plan) -> Iterator[tuple[str, Json | None]]:
        known = self._known
        self._known = {key: one for key, one in plan.segments.items() if one.source is not None}
        for segment_id in known.keys() - self._known.keys():
            yield segment_id, None
        for segment_id, segment in self._known.items():
            if known.get(segment_id) is not segment:
                source = self._definition_topic.definitions.in_force(segment_id)
                yield segment_id, None if source is None else loads(source)

    def _take_rows(self, records: list[Any]) -> None:
        for record in records:
            try:
                value = None if record.value is None else loads(record.value)
                self.catalogue.apply(Decision(rows=((record.key.decode(), value),)))
            except (AttributeError, UnicodeDecodeError, orjson.JSONDecodeError, RejectedError) as error:
                _log.warning(
                    "%s/%d is not a row and is ignored: %s",
                    record.topic,
                    record.offset,
                    error,
                )

    # -- for the leader ----------------------------------------------------------------------------------

    def expect(self, definitions: Iterable[tuple[str, Json | None]]) -> None:
        """Note definitions that the leader is about to write together with their rows."""
        self._expected.update(definitions)

    def refused(self) -> bool:
        """Return whether any expected definition did not come into force. After this no definition is
        expected."""
        refused = any(
            not same_json(definition, self._in_force(segment_id))
            for segment_id, definition in self._expected.items()
        )
        self._expected.clear()
        return refused

    def _in_force(self, segment_id: str) -> Json | None:
        entry = self.catalogue.segments.get(segment_id)
        return None if entry is None else entry.in_force

    def adopted(self) -> Decision:
        """Return the rows that other writers' definitions need. Each row is returned once."""
        rows, self._adopted = self._adopted, {}
        return Decision(rows=tuple(rows.items()))
