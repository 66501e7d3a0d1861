"""The add-files dialog (what to upload, to which project) and the dialog for a new, empty project.

Files are chosen by typing (`path_field`, `path_completion`), in the tree (`folder_tree`, `folder_rows`,
`folder_counts`) or by a paste (`pasted_paths`); `resolve_paths` looks them up on the disk and `chosen_paths` lists
them. `project_field` and `destination` choose the project. `screen` joins all this into one `AddRequest`;
`new_project` only creates a project. The app and `dialogs` import the two screens and `is_drop`.
"""
