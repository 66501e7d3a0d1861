"""Receipts as files: `json_format`, `csv_format` and `mhl_format` write them row by row, `checking` tells an edit.

`history` reads and extends the ASC MHL history of a folder. Nothing here knows the engine, so that a receipt can be
checked without one.
"""
