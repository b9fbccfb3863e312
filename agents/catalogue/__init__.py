"""The catalogue at work: commands in, definitions and rows out, one worker at a time.

catalogue_topic  `CatalogueTopic`: all segments and groups, as every worker sees them
leader           `Leader`: the one that rules on commands and writes rows
publisher        `Publisher`: all that a ruling writes, in one transaction
outcome          `Outcome`: how a command ended
desk             `CommandDesk`: gives commands, and waits for how they ended
reports          `Reports`: what each partition's owner says of it
reporter         `Reporter`: says it of the partitions here
"""
