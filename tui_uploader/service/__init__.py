"""The engine as a background process, and the client of front ends.

A front end: client, connection (requests), spawn (starts the engine), instance (finds it by its lock), login (hands a
login over), force_stop. The engine: daemon (the process), instance (holds the lock), socket_file, middleware, api
(endpoints), status_stream, lifetime (when to stop), logfile. Both: protocol (messages), process_identity.
Front ends import client, and what a command needs of login, spawn, instance and force_stop; only daemon and api import
the engine.
"""
