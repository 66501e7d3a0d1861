"""The pane of files: a window on the files of an upload or of a project, filtered, ordered and selected.

`filter` reads what the user types, `rows` turns files into cells, and `pane` is the widget. Only screens import this
folder.
"""
