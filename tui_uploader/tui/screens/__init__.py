"""The main screen, and every screen that opens over it except the add-files dialog.

`main` puts the panes together (`panes_layout`: which of them are shown; `file_preview`: when the preview is) and hands
commands what is under the cursor. Dialogs: `confirm`, `file_details`, `lists`, `bandwidth`, `help`, `log`. Whole
screens: `picture` and `map`, drawn by the modules in `pictures`.
The app opens `main`; `dialogs` and `commands` open the others, which are imported only then: the first frame does not
need them.
"""
