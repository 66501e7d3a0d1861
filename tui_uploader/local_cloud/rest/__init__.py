"""The REST API of the local cloud.

api: endpoints; input: parsing and validation; processing: phases by the clock. Imported by server; uses storage.
"""
