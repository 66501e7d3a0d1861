"""A server that behaves like PIX4Dcloud and its S3, for `demo`, `cloud serve` and tests.

A request passes server, middleware (dates, errors, counts) and faults (injected errors), then rest (projects,
registration, processing) or s3 (objects), which read bodies, check tokens and use storage (files and SQLite in one root
folder). options: settings and address; routes: kinds of requests; threads: blocking calls.
Imported by cli and by tests; imports only errors, settings and helpers, nothing of the client's side.
"""
