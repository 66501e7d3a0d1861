"""Values shared by all parts: projects, uploads, files and their states. Pure, no I/O.

msgspec structs rather than dataclasses: they are defined in a tenth of the time, before the first frame of the app.
`states` (with all transitions), `files`, `projects`, `uploads`, `engine`, `accounts`, `history`. Every part may import
them; they import nothing of ours.

Three facts are never mixed. *Sent*: the bytes left this machine. *Stored*: the storage confirmed them, with an equal
checksum. *Registered*: the image is in the project. A file is *uploaded* only when it is stored and registered.

Paths are `str`, decoded as UTF-8 with surrogate escapes in every process (see `encoding`), sizes are bytes, times
are seconds since the epoch, rates are bytes a second.
"""
