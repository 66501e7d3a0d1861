"""The command line: the front end for scripts and plain terminals.

`main` (entry point, errors to exit codes) → `full_screen` (the app) or `app` (the commands put together) → `commands/`
and `demo/` → `session` (connection to the engine), `follow` and `progress` (watching an upload) → `lines`, `summary`,
`records` (text for people, JSON for scripts) → `output`, `streams` (stdout and stderr). Nothing imports this package
but `__main__` and the entry point.
"""
