"""Definitions, conditions, windows and reasons as sentences, in Chinese and in English.

terms        what attributes, events and operators are called; evidence_terms likewise of explanations
tokens       names, values, durations and times as a sentence writes them
comparisons  an operator with its operand and options
conditions   every kind of condition, and windows
definitions  clusters, parts and whole definitions, as one sentence
outline      likewise, a condition a line
bodies       likewise of definitions and conditions that are JSON
order        JSON in the order in which a person writes it
reasons      why a membership changed
explanations explanations with words; `evidence` says what was reached, left out and read

Two definitions that ask for different things never read the same: every field that says something is
written, a name or value that could be taken for something else is quoted, and what is joined by 且 or 或
inside something else stands in brackets.
"""
