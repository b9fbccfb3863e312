"""The files of an export, its manifest and what was published."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from streamseg.errors import ConfigurationError, MoveCode, StateMoveError
from streamseg.export.files import check_files, keep_newest, new_folder, new_name, read_lines, write_file
from streamseg.export.manifest import NAME, Manifest, TopicPart
from streamseg.export.published import Published, published_outputs

LINES = [b'{"contact_id": "c1"}\n', b'{"contact_id": "c2"}\n']


def manifest(folder: Path) -> Manifest:
    part = write_file(folder / "t.ndjson.gz", LINES)
    made = Manifest(
        format=1,
        made_at="2026-05-01T00:00:00.000Z",
        release="1",
        layout=6,
        application_id="streamseg",
        topic_prefix="p-",
        partitions=1,
        numbers={},
        source_ids={},
        commands_offset=None,
        contacts=(),
        topics=(TopicPart(**part.model_dump(), topic="t", topic_id="i", end=2),),
    )
    made.write(folder)
    return made


def test_what_is_written_is_read_again_and_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    new_folder(folder)
    made = manifest(folder)
    assert Manifest.read(folder) == made
    assert made.group == "p-streamseg"
    check_files(folder, made)
    (part,) = made.topics
    assert (list(read_lines(folder, part)), part.lines) == (LINES, 2)
    assert part.size == (folder / part.file).stat().st_size
    assert gzip.decompress((folder / part.file).read_bytes()) == b"".join(LINES)
    assert (folder / part.file).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o077 == 0
    assert write_file(folder / "again", LINES).sha256 == part.sha256


def test_a_folder_with_files_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ConfigurationError, match="not empty"):
        new_folder(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        new_folder(tmp_path / "x" / "y")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_file(tmp_path / "x", LINES)


def test_an_export_that_is_not_as_it_was_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateMoveError, match="not complete") as refused:
        Manifest.read(tmp_path)
    assert refused.value.code is MoveCode.EXPORT_INCOMPLETE
    made = manifest(tmp_path)
    path = tmp_path / made.topics[0].file
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(StateMoveError, match="SHA-256") as refused:
        check_files(tmp_path, made)
    assert refused.value.code is MoveCode.EXPORT_CHANGED
    path.unlink()
    with pytest.raises(StateMoveError, match="cannot be read") as refused:
        check_files(tmp_path, made)
    assert refused.value.code is MoveCode.EXPORT_INCOMPLETE
    (tmp_path / NAME).write_text((tmp_path / NAME).read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(StateMoveError, match="format: Input should be 1") as refused:
        Manifest.read(tmp_path)
    assert refused.value.code is MoveCode.EXPORT_UNREADABLE


def test_only_the_newest_complete_exports_are_kept(tmp_path: Path) -> None:
    names = [new_name(day * 86_400_000) for day in range(5)]
    assert names == sorted(names)
    for name in names:
        (tmp_path / name).mkdir()
    for name in names[:-1]:
        (tmp_path / name / NAME).write_text("{}")
    (tmp_path / "mine").mkdir()
    keep_newest(tmp_path, 2)
    assert sorted(one.name for one in tmp_path.iterdir()) == [names[2], names[3], "mine"]


MEMBER = {"segment_id": "s", "sequence": 3, "segment_version": 1}
CONTACT = {
    "contact_id": "a|b",
    "segments": {"s": [3, 1_777_593_600_000], "t": [1, 1_777_593_600_000]},
    "head": {"clock_ms": 1_777_593_600_000},
    "body": {
        "suppressed": ["email", "sms"],
        "members": {
            "s": [3, 1_777_593_600_000, None, 2, -1],
            "t": [1, 1_777_593_600_000, 1_777_593_601_000, 4, -1],
        },
    },
}


def test_what_was_published_is_kept_if_it_fits_and_follows_from_the_state_otherwise(tmp_path: Path) -> None:
    published = Published(tmp_path / "p")
    since = {"contact_id": "a|b", "channel": "sms", "since": "2026-04-01T00:00:00.000Z", "suppressed": True}
    published.apply(
        "segment-memberships",
        [
            (b"s|a|b", orjson.dumps(MEMBER)),
            (b"t|a|b", orjson.dumps({**MEMBER, "sequence": 5})),
            (b"u|a|b", orjson.dumps(MEMBER)),
            (b"gone|a|b", orjson.dumps(MEMBER)),
            (b"s|other", orjson.dumps(MEMBER)),
            (b"gone|a|b", None),
        ],
    )
    published.apply("channel-suppressions", [(b"a|b|sms", orjson.dumps(since)), (b"a|b|wechat", b"{}")])
    told = published.of("a|b", CONTACT)
    assert told == {"published": {"memberships": {"s": MEMBER}, "suppressions": {"sms": since}}}
    assert published.of("nobody", {"contact_id": "nobody"}) == {}
    outputs = {
        (topic, key): orjson.loads(value) for topic, key, value in published_outputs({**CONTACT, **told})
    }
    assert outputs == {
        ("segment-memberships", b"s|a|b"): MEMBER,
        ("segment-memberships", b"t|a|b"): {
            "segment_id": "t",
            "segment_version": 4,
            "contact_id": "a|b",
            "entered_at": "2026-05-01T00:00:00.000Z",
            "sequence": 1,
            "next_change_at": "2026-05-01T00:00:01.000Z",
        },
        ("channel-suppressions", b"a|b|sms"): since,
        ("channel-suppressions", b"a|b|email"): {
            "contact_id": "a|b",
            "channel": "email",
            "suppressed": True,
            "since": "2026-05-01T00:00:00.000Z",
        },
    }
    taken = published.take("a|b")
    assert sorted(key for _, key in taken) == [b"a|b|sms", b"a|b|wechat", b"s|a|b", b"t|a|b", b"u|a|b"]
    assert list(published.left()) == [("segment-memberships", b"s|other")]
    published.close()
