"""The console: the built page for marketers, and its routes on every worker."""
