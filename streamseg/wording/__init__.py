"""Definitions, conditions, windows and reasons as sentences, in Chinese and in English.

terms         display names of attributes, events and operators, and the sentence templates; `evidence_terms`
              holds the templates of explanations
tokens        names, values, durations and times in the form that a sentence uses
comparisons   an operator with its operand and options
conditions    every kind of condition, and windows
definitions   clusters, parts and whole definitions, as one sentence
outline       a definition in lines, one line for each condition
bodies        sentences of definitions and conditions in JSON
order         JSON keys in the order in which a person writes them
reasons       the reason of a membership change
explanations  explanations with sentences; `evidence` words what was reached, left out and read

Two definitions with different meanings never have the same sentence. Every field that has a meaning is
written, a name or value that could be taken for something else is quoted, and a group joined by 且 or 或
inside another group has brackets.
"""
