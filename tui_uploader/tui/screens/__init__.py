"""The main screen, and every screen that opens over it except the add-files dialog.

`main` puts the panes together and hands commands the upload or project under the cursor. Dialogs: `confirm`, `details`,
`bandwidth`, `submitted`, `help`, `log`. Whole screens: `picture` and `map`, drawn by the modules in `pictures`.
The app opens `main`; `dialogs` and `commands` open the others, which are imported only then: the first frame does not
need them.
"""
