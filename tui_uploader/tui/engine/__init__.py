"""The app's side of the upload engine, through `service.client` alone.

`session` attaches, follows the status and asks; `notifications` finds the news between two states; `commands` are what
the user does to uploads and projects. Knows no screen: questions and notices go out by callbacks and `messages`.
"""
