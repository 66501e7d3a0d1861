"""The add-files dialog (what to upload, to which project) and the dialog for a new, empty project.

`paths` are what to upload. `project_field` and `destination` choose the project. `screen` joins all this into one
`AddRequest`; `new_project` only creates a project. The app and `dialogs` import the two screens and `is_drop`.
"""
