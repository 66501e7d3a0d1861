"""Clouds: sign-in, projects, and the storage that files are sent to. Only `engine` may import this package.

`contract` is the interface that the engine uses and every cloud implements; `pix4d` implements it. A call passes
`pix4d` (REST API, projects) → `s3` (signed storage calls) → `http` (requests and replies) → `net` (sockets, proxies,
name lookup); each imports only those after it. Shared by all: `throttle` (the rate limit), `refresh` (tokens and
credentials that expire), `server_clock`, and `login_store` (where logins are kept).
"""
