"""The add-files dialog, in four steps, and the dialog for a new, empty project.

What to upload is in `paths`, where to in `where` and `destination`. `look` counts the chosen files with `survey`, and
shows them in the words of `outlook`. `screen` joins all this into one `AddRequest`; `new_project` only creates a
project. The app and `dialogs` import the two screens and `is_drop`.
"""
