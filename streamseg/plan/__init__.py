"""The plan, which is all definitions in force in compiled form, and the change from one plan to another."""
