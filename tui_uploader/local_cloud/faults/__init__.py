"""Faults that are injected on purpose, for tests and `cloud serve --fault`.

plan selects a fault for each request; middleware injects it. Imported by server.
"""
