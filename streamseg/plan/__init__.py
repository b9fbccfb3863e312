"""All definitions in force, compiled, and how one set of them gives way to another."""
