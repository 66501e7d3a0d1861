"""`python -m tui_uploader`."""

from tui_uploader.cli.main import main

main()
