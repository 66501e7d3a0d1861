"""Everything that a local cloud keeps in its root folder.

root checks the folder; database (SQLite, lock); objects (object_folders, names, checksums) and multipart; projects;
meter counts received bytes. errors: what it refuses. All calls block. Imported by rest, s3, middleware and server;
imports none of them.
"""
