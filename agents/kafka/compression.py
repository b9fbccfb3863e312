"""How records are compressed: with zstd, quickly even where a batch is short."""

from __future__ import annotations

import threading

import zstandard

# zstd's lowest level takes half the time of aiokafka's default for the same size, since batches are too short
# for a long search.
_LEVEL = 1


class _Compressor(threading.local):
    """The compressor of a thread; two threads must not use one at once. Its memory is used again, since to
    make it takes several times as long as to compress a short batch."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress


_compressor = _Compressor()


def compress(payload: bytes) -> bytes:
    """Return the payload as one zstd frame."""
    return _compressor.compress(payload)
