"""Definitions, conditions, windows and reasons as sentences, in Chinese and in English.

terms        what attributes, events and operators are called
tokens       names, values, durations and times as a sentence writes them
tests        an operator with its operand and options
windows      the time in which occurrences count
conditions   every kind of condition
definitions  clusters, parts and whole definitions
reasons      why a membership changed

Two definitions that ask for different things never read the same: every field that says something is
written, a name or value that could be taken for something else is quoted, and what is joined by 且 or 或
inside something else stands in brackets.
"""
