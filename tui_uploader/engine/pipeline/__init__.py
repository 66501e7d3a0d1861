"""The path of a photo, in the order of the modules: from a command to *uploaded* and processed.

enqueue (adds paths; image_limit guards the project) · walk (finds files) · check (reads, judges and names them) · send
(picks ready files) · transfer (one file to the storage) · register (tells the project) · complete (ends the upload) ·
process (starts and follows processing). Beside it: projects creates them at the service, project_tasks runs work for
many at once, media_return retries files of a card that is back, multipart_gc aborts stale multipart uploads.
Imported by the engine's supervisor, manager, queries and status.
"""
