"""Logins and links of the accounts: `accounts` signs in and out, `link_monitor` finds out whether a cloud is reachable.

Imported by the pipeline and everything above it.
"""
