"""The worker as a process: its Faust app, its input, its life."""
