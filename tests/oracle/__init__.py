"""The contract read a second time: a slow, obvious evaluator that shares no code with the engine.

It keeps every record and answers "is this contact in that segment at this instant?" from scratch, by
going through everything the contact ever did. The engine must give the same changes.
"""
