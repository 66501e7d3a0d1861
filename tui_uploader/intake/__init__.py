"""Intake: finds the user's files, identifies their content and checks that they are usable. Only `engine` imports it.

In the order in which data passes them: `volumes` (file systems, untouched) and `mounts` · `scan` (paths to candidates)
with `source` (opening files without following links) · `observation` (is a file still being written?) · `comparison`
and `samples` (is it still the same?) · `fingerprint` (identity and CRC32) · `inspect` over `formats` · `naming` ·
`results` (processed results and what belongs to them).
Everything here blocks: callers use the threads of `engine.sources`.
"""
