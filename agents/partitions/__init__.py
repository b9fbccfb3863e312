"""The partitions of a worker: how they are assigned, restored, worked on, checkpointed and released."""
