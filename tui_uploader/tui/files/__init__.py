"""The pane of files: a window on the files of an upload or of a project, filtered, ordered and selected.

Pure: `filter` reads what the user types, `orders` are the orders, `folders` tells folders of one name apart, `rows` and
`columns` turn files into cells, `ranges` are ranges of files, and `title` is what title and the line below say.
Effects: `window` keeps the rows around the view in memory; on it are built `list` (what is shown), `selecting` (marks
and ranges), and `pane` (the other keys). `title_line` and `sort_menu` are widgets; `file_actions` gives the commands of
the pane for a file that another screen shows. Only screens import this folder.
"""
