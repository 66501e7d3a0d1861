"""What the engine recognises in the paths of an upload of results, before anything is sent.

`recognised` is its answer and the sentences about it (pure); `step` asks for it, and lets the user choose a type where
the content does not tell.
"""
