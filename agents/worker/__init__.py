"""The worker as a process: its Faust app, its input, and how it is started and stopped."""
