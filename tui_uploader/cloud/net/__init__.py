"""Network below HTTP. Imported by the rest of `cloud`.

`endpoint` checks addresses and sets up TLS, `proxies` chooses the proxy, `resolver` looks up names, `happy_eyeballs`
connects, `sockets` sets options and reports progress, `tcp_info` reads the kernel's state of a connection, and `probe`
checks whether an address accepts connections.
"""
