"""One module per group of commands: options and help texts, what the command asks of the engine, what it prints.

Imported by `cli.app` alone. Libraries that only one command needs are imported inside it: the others start fast.
"""
