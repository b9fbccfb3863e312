"""For each alert, what the workers show while it fires, and what they show while it must not."""

from __future__ import annotations

from typing import NamedTuple

Series = dict[str, str]
"""What is shown -> its values, one a minute, as promtool writes them: `0+60x100` grows by 60, `5x9` stays."""


class Case(NamedTuple):
    """Series, the minute at which the alert is looked at, and the labels of the alerts that fire then."""

    alert: str
    series: Series
    minute: int
    fires: list[dict[str, str]]


_A = 'job="streamseg",instance="a"'
_B = 'job="streamseg",instance="b"'
_FILE = 'setting="STREAMSEG_SSL_CA_FILE"'
_WORKER = {"job": "streamseg", "instance": "a"}
_JOB = {"job": "streamseg"}


def _slow_and_fast(alert: str, histogram: str, limit: str, beyond: str, *, minute: int) -> list[Case]:
    """Three of a hundred take longer than the limit, and none does."""

    def shown(within: int) -> Series:
        buckets = {limit: within, beyond: 100, "+Inf": 100}
        return {f'{histogram}_bucket{{{_A},le="{le}"}}': f"0+{count}x60" for le, count in buckets.items()}

    return [Case(alert, shown(97), minute, [_JOB]), Case(alert, shown(100), minute, [])]


_HEALTHY_DISK = {f"streamseg_disk_size_bytes{{{_A}}}": "1000x600"}

CASES = [
    Case("WorkerDown", {f"up{{{_A}}}": "1 0x10"}, 6, [_WORKER]),
    Case("WorkerDown", {f"up{{{_A}}}": "1 0x3 1x10"}, 6, []),
    Case("WorkerDown", {'up{job="other",instance="a"}': "0x10"}, 6, []),
    Case("WorkerNotReady", {f"streamseg_ready{{{_A}}}": "0x20"}, 16, [_WORKER]),
    Case("WorkerNotReady", {f"streamseg_ready{{{_A}}}": "0x10 1x10"}, 16, []),
    Case(
        "PartitionWithoutOwner",
        {
            f"streamseg_topic_partitions{{{_A}}}": "4x10",
            f"streamseg_partitions{{{_A}}}": "2x10",
            f"streamseg_restoring_partitions{{{_A}}}": "1x10",
        },
        3,
        [_JOB],
    ),
    Case(
        "PartitionWithoutOwner",
        {
            f"streamseg_topic_partitions{{{_A}}}": "4x10",
            f"streamseg_topic_partitions{{{_B}}}": "4x10",
            f"streamseg_partitions{{{_A}}}": "1x10",
            f"streamseg_partitions{{{_B}}}": "2x10",
            f"streamseg_restoring_partitions{{{_A}}}": "1x10",
            f"streamseg_restoring_partitions{{{_B}}}": "0x10",
        },
        3,
        [],
    ),
    Case(
        "BehindInTime",
        {
            f'streamseg_clock_seconds{{{_A},partition="0"}}': "0x30",
            f'streamseg_clock_seconds{{{_A},partition="1"}}': "0+60x30",
        },
        17,
        [{**_WORKER, "partition": "0"}],
    ),
    Case("BehindInTime", {f'streamseg_clock_seconds{{{_A},partition="0"}}': "0x8 480+60x30"}, 17, []),
    Case(
        "InputWillBeLost",
        {f'streamseg_clock_seconds{{{_A},partition="0"}}': "-432000+60x30"},
        2,
        [],
    ),
    Case(
        "InputWillBeLost",
        {f'streamseg_clock_seconds{{{_A},partition="0"}}': "-432060+60x30"},
        2,
        [{**_WORKER, "partition": "0"}],
    ),
    *_slow_and_fast("DueLate", "streamseg_due_lateness_seconds", "10", "30", minute=32),
    *_slow_and_fast("ChangesSlow", "streamseg_change_latency_seconds", "1", "2.5", minute=32),
    *_slow_and_fast("CheckpointSlow", "streamseg_checkpoint_seconds", "5", "10", minute=22),
    Case(
        "DeadLetters",
        {
            f'streamseg_dead_letters_total{{{_A},code="invalid_json"}}': "0x5 1x20",
            f'streamseg_dead_letters_total{{{_A},code="conflict"}}': "7x25",
        },
        10,
        [{**_JOB, "code": "invalid_json"}],
    ),
    Case("DeadLetters", {f'streamseg_dead_letters_total{{{_A},code="invalid_json"}}': "0x5 1x40"}, 30, []),
    Case(
        "ManyDeadLetters",
        {
            f'streamseg_dead_letters_total{{{_A},code="invalid_json"}}': "0+2x20",
            f'streamseg_records_total{{{_A},result="applied"}}': "0+98x20",
            f'streamseg_records_total{{{_A},result="rejected"}}': "0+2x20",
        },
        18,
        [_JOB],
    ),
    Case(
        "ManyDeadLetters",
        {
            f'streamseg_dead_letters_total{{{_A},code="invalid_json"}}': "0+1x20",
            f'streamseg_records_total{{{_A},result="applied"}}': "0+198x20",
            f'streamseg_records_total{{{_A},result="rejected"}}': "0+1x20",
        },
        18,
        [],
    ),
    Case("HistoryCapped", {f"streamseg_capped_total{{{_A}}}": "0x5 3x60"}, 30, [_JOB]),
    Case("HistoryCapped", {f"streamseg_capped_total{{{_A}}}": "3x60"}, 30, []),
    Case(
        "SweepStuck",
        {f"streamseg_sweeping_partitions{{{_A}}}": "1x60", f"streamseg_sweep_done{{{_A}}}": "64x60"},
        32,
        [_WORKER],
    ),
    Case(
        "SweepStuck",
        {f"streamseg_sweeping_partitions{{{_A}}}": "1x60", f"streamseg_sweep_done{{{_A}}}": "64+1x60"},
        32,
        [],
    ),
    Case(
        "SweepStuck",
        {f"streamseg_sweeping_partitions{{{_A}}}": "0x60", f"streamseg_sweep_done{{{_A}}}": "0x60"},
        32,
        [],
    ),
    Case("NoLeader", {f"streamseg_leader{{{_A}}}": "0x9", f"streamseg_leader{{{_B}}}": "0x9"}, 2, [_JOB]),
    Case("NoLeader", {f"streamseg_leader{{{_A}}}": "0x9", f"streamseg_leader{{{_B}}}": "1x9"}, 2, []),
    Case("TwoLeaders", {f"streamseg_leader{{{_A}}}": "1x9", f"streamseg_leader{{{_B}}}": "1x9"}, 2, [_JOB]),
    Case("TwoLeaders", {f"streamseg_leader{{{_A}}}": "1x9", f"streamseg_leader{{{_B}}}": "0x9"}, 2, []),
    Case("RebalanceStorm", {f"streamseg_rebalances_total{{{_A}}}": "1+1x20"}, 16, [_WORKER]),
    Case("RebalanceStorm", {f"streamseg_rebalances_total{{{_A}}}": "1 2 3x20"}, 16, []),
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "149x30"}, 11, [_WORKER]),
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "151x30"}, 11, []),
    # It is empty within a day; it is not; it would be, but more than half is free; it would be, at the rate
    # of the first two hours of a new worker.
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "400-0.4x600"}, 360, [_WORKER]),
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "400-0.1x600"}, 360, []),
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "900-0.8x600"}, 360, []),
    Case("DiskFull", {**_HEALTHY_DISK, f"streamseg_disk_free_bytes{{{_A}}}": "400-0.4x600"}, 120, []),
    Case("AuditFailures", {f"streamseg_audit_failures_total{{{_A}}}": "0x5 1x20"}, 10, [_JOB]),
    Case("AuditFailures", {f"streamseg_audit_failures_total{{{_A}}}": "0x5 1x40"}, 30, []),
    Case("TokensUnreadable", {f"streamseg_api_tokens_unreadable{{{_A}}}": "1x10"}, 6, [_WORKER]),
    Case("TokensUnreadable", {f"streamseg_api_tokens_unreadable{{{_A}}}": "1x3 0x10"}, 6, []),
    Case("CertificateEnds", {f"streamseg_certificate_end_seconds{{{_A},{_FILE}}}": "1209800x10"}, 6, []),
    Case(
        "CertificateEnds",
        {f"streamseg_certificate_end_seconds{{{_A},{_FILE}}}": "1209600x10"},
        6,
        [{**_WORKER, "setting": "STREAMSEG_SSL_CA_FILE"}],
    ),
    # It was replaced.
    Case("CertificateEnds", {f"streamseg_certificate_end_seconds{{{_A},{_FILE}}}": "9x3 9e9x10"}, 6, []),
    Case("StateColdStart", {f"streamseg_cold_starts_total{{{_A}}}": "1x9"}, 1, [_WORKER]),
    Case("StateColdStart", {f"streamseg_cold_starts_total{{{_A}}}": "0x9"}, 1, []),
]
