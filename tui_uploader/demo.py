"""A sample flight, and everything wired together to upload it."""
