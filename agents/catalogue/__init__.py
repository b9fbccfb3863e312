"""The catalogue at work: commands in, definitions and rows out, one worker at a time.

catalogue_topic  `CatalogueTopic`: all segments and groups, as every worker sees them
leader           `Leader`: the one worker that decides on commands and writes rows
outcome          `Outcome`: how a command ended
command_client   `CommandClient`: sends commands and waits for their outcomes
definition_topic `DefinitionTopic`: the definitions in force
progress_reader  `ProgressReader`: the latest report of each partition's owner
progress_writer  `ProgressWriter`: writes the reports of the partitions at work here
"""
