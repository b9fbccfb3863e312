"""From a definition to a compiled segment: operators, conditions, formulas, and their checks."""
