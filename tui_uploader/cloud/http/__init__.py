"""HTTP/1.1 for large uploads. Imported by `s3` and by implementations of clouds.

`pool` keeps connections and runs each exchange in a thread; `connection` sends one request (`messages`) from a file
(`source_files`) and reads the reply within `reply_limits`; `error_mapping` maps failures to errors of `errors`.
"""
