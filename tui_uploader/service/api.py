"""HTTP over a Unix socket: the engine for its front ends."""
