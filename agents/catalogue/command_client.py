"""Sends commands for callers of the API, and waits for their outcomes."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.outcome import ORIGIN, REQUEST_ID, VERSIONS, Outcome
from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.topic_reader import TopicReader
from agents.kafka.topics import outcomes_topic
from schemas.topics import SEGMENT_COMMANDS
from streamseg.json_text import dumps
from streamseg.settings import Settings


class CommandClient(TopicReader):
    """Follows the outcomes topic, so that the caller gets the outcome whichever worker leads."""

    def __init__(
        self,
        settings: Settings,
        *,
        batch_producer: BatchProducer,
        catalogue_topic: CatalogueTopic,
        definition_topic: DefinitionTopic,
        **kwargs: Any,
    ) -> None:
        topic = outcomes_topic(settings)
        super().__init__(settings, topic, self._take_outcomes, from_beginning=False, **kwargs)
        self._batch_producer = batch_producer
        self._catalogue_topic = catalogue_topic
        self._definition_topic = definition_topic
        self._seconds = settings.command_timeout_ms / 1000
        self._waiting: dict[bytes, asyncio.Future[Outcome]] = {}

    async def give(self, command: dict[str, Any], *, versions: frozenset[int] | None = None) -> Outcome:
        """Send a command and return its outcome. By then its changes are in the catalogue of this worker. The
        leader refuses the command if `versions` is given and the segment has none of them.

        Raises TimeoutError if the outcome did not arrive in time; the command may still be carried out.
        """
        request_id = uuid.uuid4().hex.encode()
        waiting = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        key = command.get("segment_id") or command.get("definition", {}).get("segment_id")
        headers = [(REQUEST_ID, request_id), (ORIGIN, b"api")]
        if versions is not None:
            headers.append((VERSIONS, ",".join(map(str, sorted(versions))).encode()))
        message = Message(key.encode() if key else None, dumps(command), headers)
        try:
            async with asyncio.timeout(self._seconds):
                await self._batch_producer.send(SEGMENT_COMMANDS, [message], partition=0)
                outcome: Outcome = await waiting
                await self._catalogue_topic.taken.reached(outcome.catalogue)
                await self._definition_topic.taken.reached(outcome.definitions)
        finally:
            del self._waiting[request_id]
        return outcome

    def _take_outcomes(self, records: list[Any]) -> None:
        for record in records:
            waiting = self._waiting.get(record.key)
            if waiting is not None and not waiting.done():
                waiting.set_result(Outcome.from_bytes(record.value))
