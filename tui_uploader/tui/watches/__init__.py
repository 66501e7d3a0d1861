"""Watched folders on the screen.

`lines` is what the uploads pane and the list say (pure), `screen` the list with its keys, `new_watch` the dialog for
another folder. Imported when there is a watch, or when one is asked for: the first frame does without it.
"""
