"""What to upload: paths that are typed, chosen in the tree, or pasted.

`path_field` and `path_completion` take typed paths, `folder_tree`, `folder_rows` and `folder_counts` show the folders
of this machine, `pasted_paths` reads a paste; `resolve_paths` looks them up on the disk, and `chosen_paths` lists them.
`what`, the first step of the dialog, joins all this. The dialog and the app import from here.
"""
