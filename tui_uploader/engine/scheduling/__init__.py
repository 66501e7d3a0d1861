"""Decisions on what runs when: pure functions, and small in-memory state that takes its clock and chance as arguments.

fairness chooses the next upload, concurrency the number of streams and the part size, stream_slots hands out the
streams. After a failure retry decides what to do, failures postpones the file, storage_pauses its project, and
worker_failures the worker. Imported by the rest of the engine; imports nothing of it.
"""
