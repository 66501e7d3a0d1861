"""Workers beside the way of a file: `monitor` measures transfers and sets the number of streams, `recorder` writes the
history, `retention` keeps the journal small. Started by `supervisor`, imported by nothing else.
"""
