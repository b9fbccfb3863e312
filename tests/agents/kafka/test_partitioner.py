"""Keys go to the same partitions as with Kafka's own clients; aiokafka's partitioner is tested against
Java's."""

from __future__ import annotations

from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from agents.kafka.partitioner import murmur2, place


@given(st.binary(max_size=40))
def test_it_is_the_hash_that_the_client_library_has(data: bytes) -> None:
    assert murmur2(data) == aiokafka_murmur2(data) & 0xFFFFFFFF


def test_known_keys_are_where_java_puts_them() -> None:
    """From UtilsTest.testMurmur2 of Apache Kafka."""
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF
    assert murmur2(b"a-little-bit-long-string") == -985981536 & 0xFFFFFFFF
    assert murmur2(b"abc") == 479470107


@given(st.none() | st.binary(max_size=9), st.integers(1, 64))
def test_a_partition_is_one_of_those_there_are(key: bytes | None, partitions: int) -> None:
    assert 0 <= place(key, partitions) < partitions
