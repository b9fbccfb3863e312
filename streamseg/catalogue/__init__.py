"""The catalogue: what accounts may do with segments and groups, and what they see of them. Pure.

state        `Catalogue`: all segments and groups, as they stand on the two compacted topics
decision     `Decision`: the records that a ruling writes
rules        `decide`: one command, refused or turned into a Decision
calculation  the course of a calculation: begun, under way, completed; counts
adoption     definitions that operators write straight to the topic
progress     `Progress`: the partitions' reports as one progress and total counts
listing      the list as an account sees it
labels       what things are called, in Chinese and English
"""
