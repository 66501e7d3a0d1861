"""The S3 API of the local cloud.

api dispatches; request authenticates (signatures) and authorizes; objects and parts carry out operations, with
body_writer (aws_chunked, announced_checksums) for what arrives and xml for what is returned; errors maps refusals of the
storage. Imported by server and faults; uses storage.
"""
