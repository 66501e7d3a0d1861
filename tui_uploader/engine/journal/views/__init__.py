"""SQL of what front ends show of files: only questions, over the tables of the journal.

windows reads a few rows of many files, positions where the images were taken.
"""
