"""May this memory card be wiped? Key `K`.

`card_path` proposes the path to verify, `ask` asks the user for it, `screen` shows the progress, the verdict and what
was found: its lines are made by `lines`, its list by `sections` and `found_files`, in windows, however many files the
card has. `checks` opens them. The verification itself runs in the engine; closing the screen stops nothing.
"""
