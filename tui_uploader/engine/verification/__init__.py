"""Verifications: is everything below these paths in the cloud, so that the memory card may be wiped?

A verification walks the paths (`card_walk`), reads every byte of every file (`reading`), compares the content with what
is registered (`judgement`), asks the storage for it (`storage`), walks the paths again, and gives its verdict
(`verdict`): one `run`. `verifier` keeps the runs, also across crashes; `verifications` is the interface.

A wrong "safe" is the worst fault that this program can have. What is in doubt is not safe.
"""
