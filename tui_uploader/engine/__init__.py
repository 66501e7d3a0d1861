"""The engine: takes files from the user's disks to a cloud, and survives whatever happens on the way.

On the way of a file: `manager` (commands) · `pipeline` (each step, from walking a folder to processing) with `sources`
(reading files), `accounts` (logins and links), `scheduling` (order, retries), `bandwidth` (limits) and `journal` (the
database) · `status` (values to show) · `queries` (questions), `facts` (what a status is made of). `supervisor` builds
and runs the workers (`worker`), `notifier` wakes them, `context` is all that they share; those of `upkeep` work beside
the pipeline. After the upload: `verification` (may the card be wiped?), `receipts`, `results`, `watches` (folders that
upload their cards) and `hooks` (tell the user). `service` imports `manager`; front ends never import the engine.
"""
