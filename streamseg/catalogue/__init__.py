"""The catalogue: the rules for commands on segments and groups, and the list that an account sees. Pure.

state        `Catalogue`: all segments and groups, as they are on the two compacted topics
decision     `Decision`: the records that a command writes
rules        `decide`: refuses a command or turns it into a Decision
calculation  the course of a calculation (begun, running, completed) and the member counts
adoption     definitions that operators write straight to the topic
progress     `Progress`: combines the partitions' reports into one progress and total counts
versions     earlier versions and deleted segments: what is kept, for how long, and who sees it
listing      the list as an account sees it
labels       display names in Chinese and English
"""
