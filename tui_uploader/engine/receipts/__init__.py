"""Receipts of uploads from the journal: on demand, beside the journal when an upload completes, and on its card.

`rows` reads deliveries page by page, `compose` writes them to a file in one of the formats, `copies` puts the receipt
and a list of checksums where the user wants copies, `worker` does both when uploads complete.
"""
