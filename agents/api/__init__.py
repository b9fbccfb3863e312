"""The HTTP API of a worker. Every worker answers for every contact and segment.

application  `Api`: combines the handlers and mounts them on the worker's web server
auth         the caller of a request
roles        what callers may do
tokens       the tokens that are known, and new ones
sessions     the cookies of pages that have signed in
signing_in   signs a page in and out
origins      the host names and the page origins that are accepted
preconditions  entity tags, and the requests that depend on them
problems     errors as RFC 9457 problems
requests     reads bodies and parameters
segments     segments and their list
members      the contacts of a segment, and why they are in it
groups       groups
contacts     one contact, and static lists
contact_search  contacts by the beginning of their ids
timeline     what happened to a contact
preview      evaluates a definition on all contacts, or on one, without saving it
drafts       plans with a definition that is not saved
verification  compares the state with attributes and history, and recounts a segment
changes      membership changes as they happen
change_feed  collects these changes from all workers, for all who watch
vocabulary   what a definition may contain, and the names and values that contacts have
partitions   the partitions of this worker, read between their steps
slices       limits the time of a question on the event loop
counted      counts the requests
audit        notes who asked for what
tls          encryption of the API
rates        limits how many requests an account sends
turns        limits the questions of an account
peers        asks other workers for their partitions
openapi      the OpenAPI description
shapes       the shapes of answers in it
"""
