"""Upload drone images to PIX4Dcloud from a terminal.

Front ends: `cli` and `tui`, worded by `wording`. They talk to the engine's process through `service`. The `engine`
takes files through `intake` to a `cloud`; `local_cloud` is a server to try it with, `demo` a sample flight. Below all
of them: `settings`, `model`, `errors`, and helpers for text, encodings, threads and files. See docs/architecture.md.
"""
