"""The segment language: it compiles definitions to segments. Here are operators, conditions, formulas and
their checks."""
