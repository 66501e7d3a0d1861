"""The full-screen app on Textual. It sees the engine through `service.client` alone; nothing outside imports Textual.

`run` starts `app`, which passes the news of `engine` (its session with the upload engine) to `screens`, and the keys of
the user to `engine.commands` and `dialogs`. Screens are made of `files` (the pane of files), the other `panes`,
`add_files`, `pictures`, `widgets` and `lines`. `terminal` replaces Textual's input and output. `messages` and `keys`
(each a `key`) are tables that all share, `subject` is what commands apply to. Only `cli` imports it, by `run`.
"""
