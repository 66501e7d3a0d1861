"""Commands that are typed behind a colon, such as `:limit 2M`.

`command_table` has the commands for what is under the cursor, `typed` what a typed line means and how it is completed;
both are pure. `prompt` is the line on the screen, and `run` does what was typed.
"""
