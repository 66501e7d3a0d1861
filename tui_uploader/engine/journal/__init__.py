"""The engine's durable memory, in one SQLite file: intents are committed before an effect, its result after.

journal runs changes in one writing thread and publishes a summary with each commit. Below it: database (the file),
lock (one engine only), migrations (the format in schema.sql), views (questions of front ends), tables (all other SQL),
events (what commits mean for the history), summary, records (rows as values), columns (conversions), failures (errors).
Imported by the rest of the engine; imports nothing of it.
"""
