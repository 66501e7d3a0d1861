"""Watched folders: new images are uploaded automatically, and each memory card gets an upload of its own.

`watches` (commands, one task per folder) over `folder` (what to do next about one folder) · `arrival` (which card is
it?) over `cards` and `naming` (decisions: pure) · `additions` (which files are new?) over `rest` (pure) · `listing` and
`alarm` (what the file system says) · `places` (folders that cannot be watched: pure).
"""
