"""Small widgets that know nothing of uploads: fields, choices, the key bar, notices.

`text_field` is the base of every field; `filter_input` opens over a list; `choices` are radio buttons and check boxes
of one line; `note` says what a field is for, or what is wrong; `key_bar` and `notices` are the last lines of the main
screen. Panes, screens and the add-files dialog use them. They import `lines`, `messages` and `text` only.
"""
