"""Images and maps in terminal cells, for the picture, details and map screens.

`process` sends a path to `worker`, a child process in which `decode` reads the pixels; `cells` turns them into cells.
`flight_map` draws positions, and `captions` puts the facts of a photo into words: both come from the engine, which has
the one reader of EXIF.
"""
