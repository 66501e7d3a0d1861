"""The S3 API of the local cloud.

api dispatches; request authenticates (signatures) and authorizes; objects and parts carry out the operations, with
body_writer (aws_chunked, announced_checksums) for bodies and xml for replies; errors maps refusals of the storage.
Imported by server and faults; uses storage.
"""
