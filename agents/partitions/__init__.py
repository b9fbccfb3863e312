"""The partitions of a worker: assigned, restored, at work, saved, released."""
