"""The user's files, for the pipeline: every blocking call on them, in threads that a hanging card cannot take away.

`threads` (a pool for each file system) · `unfinished` (wait until a file is complete) · `recognise` (known content) ·
`read` (check a file) · `open` (for sending) · `modified` (changed since the check) · `photo` (facts of one image).
Above `journal`, below `context`: `pipeline`, `queries` and `status` import it.
"""
