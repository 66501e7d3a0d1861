"""Processed results: what the paths of a request hold, what it would replace, and which files are registered together.

In the order in which data passes them: `survey` (reads the paths, asks the service) and `plan` (decides, pure), then
`queue`; `grouping` waits until all files of a result are checked; `naming` finds their names in the project;
`registrar` registers a result when all of its files are stored.
"""
