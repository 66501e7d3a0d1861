"""The panes of the main screen beside the files, which have a folder of their own.

`pane` is the base of all of them: a title, a table and a filter. For each pane a pure module turns the engine's status
into rows and cells (`project_rows`, `upload_rows`), and a widget shows them (`projects`, `uploads`). `empty_state` is
the text of a pane without files; `plain_status` replaces all panes in a tiny terminal. The main screen puts the panes
together; beside it only `files` imports this folder.
"""
