"""The HTTP API of a worker: any worker answers for every contact and segment.

application  `Api`: puts it together and mounts it on the worker's web server
auth         who asks
origins      under which names, and by whose pages
preconditions  entity tags, and what callers demand of them
problems     what went wrong, as RFC 9457 problems
requests     reading bodies and parameters
segments     segments and their list
members      who is in a segment, and why
groups       groups
contacts     one contact, and static lists
preview      a definition tried on all contacts
partitions   the partitions here, read between their steps
slices       how long one may take on the event loop
counted      counts the requests
turns        how many an account may ask at a time
peers        the partitions elsewhere, asked of their owners
openapi      the description that is served
"""
