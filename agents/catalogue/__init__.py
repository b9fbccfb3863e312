"""The catalogue: reads commands, and writes definitions and rows. One worker at a time does this.

catalogue_topic  `CatalogueTopic`: all segments and groups, as every worker sees them
definition_topic `DefinitionTopic`: the definitions in force; answers the records of other writers
leader           `Leader`: the one worker that decides commands and writes rows
command_client   `CommandClient`: sends commands and waits for their outcomes
outcome          `Outcome`: the outcome of a command
progress_writer  `ProgressWriter`: writes the reports of this worker's partitions
progress_reader  `ProgressReader`: the latest report of each partition's owner
"""
