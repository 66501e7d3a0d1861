"""What a command applies to, and why it may not be possible now. Pure.

`scope` is the value that every command gets: what is under the cursor at that moment. `refusals` has one function for
each command, which answers with a sentence or nothing. `typed_ahead` says which keys wait for an answer. Imported by
`keys` and everything above it.
"""
