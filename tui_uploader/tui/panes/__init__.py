"""The three panes of the main screen: projects, files and uploads.

`pane` is their base: a title, a table and a filter. For each pane a pure module turns the engine's status into rows
and cells (`project_rows`, `file_rows` with `file_filter`, `upload_rows`), and a widget shows them (`projects`, `files`,
`uploads`). `empty_state` is the text of a pane without files; `plain_status` replaces all panes in a tiny terminal.
The main screen puts the panes together; nothing else imports this folder.
"""
