"""Lines of text with an exact width: what tables, lists and captions are drawn from.

`glyphs` (symbols and spans) to `columns` (fitted into cells) to `spans` (Textual's segments, and one-line widgets) to
`table` and `list`; `row_window` holds the part of a long list that a table shows. For all of the app's widgets.
"""
