"""The state of contacts in a form that does not depend on the layout: one JSON line a contact.

`docs/state-format.md` describes the files for people who read or write them with other programs.
"""
