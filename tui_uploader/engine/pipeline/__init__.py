"""The path of a photo, in the order of the modules: from a command to *uploaded* and processed.

enqueue (adds paths; image_limit guards the project) · walk, path_walk (find files) · check (reads, judges, names) ·
ready_files, send (pick and send files) · transfer (one file to the storage) · register (with the project) · complete
(ends the upload) · process (starts and follows processing). Beside it: projects creates them at the service,
project_tasks runs work for many, media_return retries files of a card that is back, multipart_gc aborts stale
multipart uploads. Imported by supervisor, monitor, manager and queries.
"""
