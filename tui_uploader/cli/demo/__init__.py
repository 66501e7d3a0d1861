"""The demo: `sandbox` (folders, local cloud and engine of its own) → `run` (the upload) → `proof` (byte comparison).

Imported by `cli.commands.demo` alone.
"""
