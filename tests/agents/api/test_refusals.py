"""Commands and definitions that are refused because of their content, or fail because of an internal
error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from agents.catalogue import leader
from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.leader import Leader
from agents.catalogue.progress_reader import ProgressReader
from agents.kafka.batch_producer import Message
from agents.kafka.transactional_producer import Output
from agents.metrics import Metrics
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.rules import decide
from streamseg.errors import StateVersionError
from streamseg.language.compiler import compile_segment
from streamseg.plan import definition_records
from streamseg.settings import Settings
from streamseg.times import MAX_MS
from tests.catalogue.catalogues import ANN, Json, standard, static

SETTINGS = Settings()


class Published(Leader):
    """A leader whose records are gathered; it has no broker."""

    def __init__(self) -> None:
        definition_topic = DefinitionTopic(
            settings=SETTINGS,
            batch_producer=Sent(),  # type: ignore[arg-type]  # what the topic asks of it
            changed=lambda _: None,
            answering=lambda: True,
            counted=lambda *_: 1,
            metrics=Metrics(),
        )
        super().__init__(
            SETTINGS,
            catalogue_topic=CatalogueTopic(SETTINGS, definition_topic),
            definition_topic=definition_topic,
            progress=ProgressReader(SETTINGS),
            check=lambda: None,
            now_ms=lambda: MAX_MS,
            latest_ms=lambda: MAX_MS,
            metrics=Metrics(),
        )
        self.outputs: list[Output] = []
        self.consumed: list[int] = []

    async def _publish(
        self,
        outputs: list[Output],
        *,
        then: Callable[[Mapping[str, int]], list[Output]] | None = None,
        consumed: Mapping[Any, int] | None = None,
    ) -> dict[str, int]:
        self.outputs += [*outputs, *(then({}) if then is not None else ())]
        self.consumed += (consumed or {}).values()
        return {}


class Sent:
    """What a definition topic says."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.messages: list[Message] = []

    async def send_dead_letters(self, letters: list[Any]) -> None:
        self.letters += letters

    async def send(self, topic: str, messages: list[Message], *, partition: int) -> None:
        self.messages += messages


def polled(offset: int, value: Json, *, key: str | None = None) -> Any:
    return SimpleNamespace(
        offset=offset,
        partition=0,
        timestamp=0,
        key=None if key is None else key.encode(),
        value=orjson.dumps(value),
        headers=(),
    )


def create(segment_id: str) -> Json:
    return {"command": "create", "account": ANN, "definition": static(segment_id)}


def test_a_command_that_it_fails_at_is_refused_and_the_next_is_ruled_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(catalogue: Any, command: Any, **kwargs: Any) -> Any:
        if command.definition.segment_id == "bad":
            raise KeyError("a value")
        return decide(catalogue, command, **kwargs)

    monkeypatch.setattr(leader, "decide", failing)

    async def rule() -> Published:
        one = Published()
        await one._rule(polled(0, create("bad")))
        await one._rule(polled(1, create("good")))
        return one

    one = asyncio.run(rule())
    letter, outcome, *rest = one.outputs
    assert letter.topic == "dead-letters"
    assert dict(letter.headers or ())["error.code"] == b"invalid_schema"
    assert b"KeyError" in dict(letter.headers or ())["error.message"]
    assert b"a value" not in dict(letter.headers or ())["error.message"]
    assert orjson.loads(outcome.value or b"")["code"] == "invalid_schema"
    assert [output.key for output in rest if output.topic == "segment-definitions"] == [b"good"]
    assert one.consumed == [1, 2]
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "segment-commands/0/0" in record.message
    assert record.exc_info is not None


def test_only_a_conflict_over_a_version_names_the_current_one() -> None:
    async def rule() -> Published:
        one = Published()
        one._catalogue.apply(Decision(definitions=(("s", {**static("s"), "version": 3, "created_by": ANN}),)))
        update = {"command": "update", "account": ANN, "definition": static("s", version=2)}
        for offset, command in enumerate((create("s"), update)):
            await one._rule(polled(offset, command))
        return one

    outcomes = [orjson.loads(one.value or b"") for one in asyncio.run(rule()).outputs[1::2]]
    assert [(one["code"], one["current_version"]) for one in outcomes] == [
        ("conflict", None),
        ("conflict", 3),
    ]


def test_an_error_that_is_not_the_commands_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: Any, **__: Any) -> dict[str, int]:
        raise StateVersionError(1, 2)

    async def rule() -> None:
        one = Published()
        monkeypatch.setattr(one, "_publish", failing)
        await one._rule(polled(0, create("good")))

    with pytest.raises(StateVersionError):
        asyncio.run(rule())


@pytest.mark.parametrize("at_start", [True, False])
def test_a_definition_that_it_fails_at_is_refused_and_the_others_are_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, at_start: bool
) -> None:
    def failing(definition: Any, **kwargs: Any) -> Any:
        if definition.segment_id == "bad":
            raise OverflowError("a value")
        return compile_segment(definition, **kwargs)

    monkeypatch.setattr(definition_records, "compile_segment", failing)
    records = [polled(offset, standard(key), key=key) for offset, key in enumerate(("bad", "good"))]

    async def take() -> tuple[DefinitionTopic, Sent]:
        sent = Sent()
        topic = DefinitionTopic(
            settings=SETTINGS,
            batch_producer=sent,  # type: ignore[arg-type]  # what the topic asks of it
            changed=lambda _: None,
            answering=lambda: True,
            counted=lambda *_: 1,
            metrics=Metrics(),
        )
        topic._found = [] if at_start else None
        topic._take_records(records)
        if at_start:
            topic._refused = topic.definitions.load(topic._found or ())
        await topic.polled()
        return topic, sent

    topic, sent = asyncio.run(take())
    assert {"good"} == topic.definitions.plan.segments.keys() & {"good", "bad"}
    assert [(letter.record.key, letter.code) for letter in sent.letters] == [(b"bad", "invalid_schema")]
    answers = [(message.key, message.value is None, dict(message.headers or ())) for message in sent.messages]
    (bad, good) = answers
    assert bad == (b"bad", True, {"segment.answers": b"0"})
    assert good[:2] == (b"good", False)
    assert good[2]["segment.answers"] == b"1"
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "segment-definitions/0" in record.message
    assert record.exc_info is not None
