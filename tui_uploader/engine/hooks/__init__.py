"""Tells commands, web addresses and services of the user what happens: `[hooks]` of the settings file.

`worker` follows the history, and remembers in the journal how far each hook was told · `delivery` chooses the way:
`command` (a process), `webhook` (a POST), `service` (mail and chats, by `apprise_process`) · `message`: what is told.
"""
