"""The batches of records, their partitions, and the handling of records that do not fit."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import RecordMetadata, TopicPartition

from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.changelog_record import Written
from agents.partitions.output_buffer import OutputBuffer
from streamseg.records.inputs import Record
from streamseg.records.outputs import Cause, DeadLetter, MembershipChange, Reason, Suppression
from streamseg.settings import Settings

SETTINGS = Settings(topic_prefix="p-")
LIMIT = 3 << 20


@dataclass
class FakeProducer:
    """Takes batches as a broker does: whole, or not at all where they are longer than LIMIT."""

    batches: list[tuple[str, int, list[Message]]] = field(default_factory=list)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(8 << 20, 0)

    async def partitions_for(self, topic: str) -> set[int]:
        return {2, 0, 1, 3}

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        written = bytes(batch._build())
        future = asyncio.get_running_loop().create_future()
        if len(written) > LIMIT:
            future.set_exception(MessageSizeTooLargeError())
            return future
        messages = [
            Message(record.key, record.value, list(record.headers)) for record in DefaultRecordBatch(written)
        ]
        offset = self.ends.get((topic, partition), 0)
        self.ends[(topic, partition)] = offset + len(messages)
        self.batches.append((topic, partition, messages))
        future.set_result(
            RecordMetadata(topic, partition, TopicPartition(topic, partition), offset, -1, 0, None)
        )
        return future

    def messages(self, topic: str) -> list[tuple[int, Message]]:
        return [
            (partition, message)
            for name, partition, messages in self.batches
            if name == topic
            for message in messages
        ]


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def sender(producer: FakeProducer) -> BatchProducer:
    sender = BatchProducer(SETTINGS)
    sender._producer = producer
    return sender


def test_a_group_of_changelog_records_is_never_parted(sender: BatchProducer, producer: FakeProducer) -> None:
    groups = [
        [(f"h{group}-{index}".encode(), bytes(size)) for index in range(group % 5 + 1)]
        for group, size in enumerate([200_000, 10, 300_000, 150_000, 600_000, 20, 400_000])
    ]
    written = asyncio.run(sender.send_changelog(2, groups, first=0))
    sent = [[message.key for message in messages] for _, _, messages in producer.batches]
    assert {(topic, partition) for topic, partition, _ in producer.batches} == {
        ("p-streamseg-contacts-changelog", 2)
    }
    assert [key for batch in sent for key in batch] == [key for group in groups for key, _ in group]
    for group in groups:
        keys = [key for key, _ in group]
        assert any(set(keys) <= set(batch) for batch in sent)
    assert len(sent) > 3
    records = sum(map(len, groups))
    assert written == Written(0, records - 1, records)


def test_a_group_that_does_not_fit_is_an_error_and_never_parted(
    sender: BatchProducer, producer: FakeProducer
) -> None:
    groups = [[(b"a", bytes(5 << 20)), (b"b", bytes(5 << 20))]]
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(sender.send_changelog(2, groups, first=0))
    assert producer.batches == []


def test_nothing_to_send_has_no_offset(sender: BatchProducer, producer: FakeProducer) -> None:
    assert asyncio.run(sender.send_changelog(0, [], first=0)) is None
    assert producer.batches == []


def test_outputs_go_where_consumers_look_for_them(sender: BatchProducer, producer: FakeProducer) -> None:
    buffer = OutputBuffer()
    for sequence in (1, 2, 3):
        buffer.change(MembershipChange("s", 1, "联系人", sequence, 1_000 * sequence, Reason(Cause.TIME)))
    buffer.change(MembershipChange("gone", 1, "联系人", 2, 1_000, Reason(Cause.TIME)))
    buffer.suppression(Suppression("联系人", "email", True, 1_000))
    asyncio.run(sender.send_outputs(3, buffer))
    changes = producer.messages("p-membership-changes")
    assert [(partition, message.key) for partition, message in changes] == [(3, "联系人".encode())] * 4
    place, partitions = DefaultPartitioner(), [0, 1, 2, 3]
    memberships = producer.messages("p-segment-memberships")
    assert {message.key: message.value is None for _, message in memberships} == {
        "s|联系人".encode(): False,
        "gone|联系人".encode(): True,
    }
    for partition, message in [*memberships, *producer.messages("p-channel-suppressions")]:
        assert partition == place(message.key, partitions, partitions)


def test_partitions_that_send_at_the_same_time_share_batches(
    sender: BatchProducer, producer: FakeProducer
) -> None:
    async def send(number: int) -> None:
        buffer = OutputBuffer()
        for sequence in (1, 2):
            contact_id = f"c{number % 4}-{number}"
            buffer.change(MembershipChange("s", 1, contact_id, sequence, sequence, Reason(Cause.TIME)))
        await sender.send_outputs(number, buffer)

    async def story() -> None:
        await asyncio.gather(*[send(number) for number in range(20)])

    asyncio.run(story())
    sent = Counter((topic, partition) for topic, partition, _ in producer.batches)
    assert set(sent.values()) == {1}
    assert {partition for topic, partition in sent if topic == "p-membership-changes"} == set(range(20))
    assert len(producer.messages("p-membership-changes")) == 40
    assert len(producer.messages("p-segment-memberships")) == 20


def letter(value: bytes | None, key: bytes | None = b"k", offset: int = 0) -> DeadLetter:
    return DeadLetter(Record("behavior-events", 1, offset, 5, key, value), "invalid_json", "不是 JSON", "a.b")


def test_a_dead_letter_keeps_its_bytes_and_says_why(sender: BatchProducer, producer: FakeProducer) -> None:
    letters = [letter(b"\xff{"), letter(None, offset=7), letter(None, None, offset=8)]
    asyncio.run(sender.send_dead_letters(letters))
    sent = {
        dict(message.headers or ())["source.offset"]: message
        for _, message in producer.messages("p-dead-letters")
    }
    assert {offset: (message.key, message.value) for offset, message in sent.items()} == {
        b"0": (b"k", b"\xff{"),
        b"7": (b"k", None),
        b"8": (None, None),
    }
    assert sent[b"0"].headers == [
        ("error.code", b"invalid_json"),
        ("error.message", "不是 JSON".encode()),
        ("error.path", b"a.b"),
        ("record.applied", b"no"),
        ("source.topic", b"behavior-events"),
        ("source.partition", b"1"),
        ("source.offset", b"0"),
    ]


def test_a_dead_letter_that_does_not_fit_names_the_place_of_its_record(
    sender: BatchProducer, producer: FakeProducer
) -> None:
    asyncio.run(sender.send_dead_letters([letter(b"small"), letter(bytes(4 << 20), offset=9)]))
    values = [message.value for _, message in producer.messages("p-dead-letters")]
    assert b"small" in values
    (shortened,) = [message for _, message in producer.messages("p-dead-letters") if message.value == b""]
    assert b"behavior-events/1/9" in dict(shortened.headers or ())["error.message"]
    assert dict(shortened.headers or ())["source.offset"] == b"9"


def test_batches_of_one_partition_are_handed_over_in_the_order_in_which_they_were_sent(
    producer: FakeProducer, sender: BatchProducer
) -> None:
    """The client lets any of those that wait go first, and gives up on one that is left waiting."""
    inside: list[str] = []
    take = producer.send_batch

    async def send_batch(batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        assert not inside
        inside.append(topic)
        await asyncio.sleep(0)
        inside.pop()
        return await take(batch, topic, partition=partition)

    producer.send_batch = send_batch  # type: ignore[method-assign]

    async def story() -> None:
        messages = [Message(b"k", b"%d" % number) for number in range(5)]
        await asyncio.gather(*[sender.send("membership-changes", [one], partition=1) for one in messages])

    asyncio.run(story())
    order = [message.value for _, message in producer.messages("p-membership-changes")]
    assert order == [b"0", b"1", b"2", b"3", b"4"]
