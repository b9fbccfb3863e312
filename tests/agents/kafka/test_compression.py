"""What is compressed can be read again by everyone who reads zstd, from whatever thread it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from aiokafka.codec import zstd_decode
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from agents.kafka.compatibility import compress_with
from agents.kafka.compression import compress

_ZSTD = 4


def test_payloads_of_many_threads_are_not_mixed_up() -> None:
    payloads = [b"a payload of a thread " * number + b"%d" % number for number in range(2_000)]
    with ThreadPoolExecutor(8) as threads:
        assert [zstd_decode(frame) for frame in threads.map(compress, payloads)] == payloads


def test_batches_of_a_producer_are_compressed_by_it() -> None:
    seen: list[int] = []

    def counting(payload: bytes) -> bytes:
        seen.append(len(payload))
        return compress(payload)

    compress_with(counting)
    try:
        batch = DefaultRecordBatchBuilder(2, _ZSTD, 0, -1, -1, 0, 1 << 20)
        for offset in range(100):
            batch.append(offset, timestamp=1, key=b"contact", value=b"a value " * 20, headers=[])
        [again] = [MemoryRecords(bytes(batch.build())).next_batch()]
        assert [record.value for record in again or ()] == [b"a value " * 20] * 100
        assert len(seen) == 1
    finally:
        compress_with(compress)
