"""The terminal at the end of a slow connection. Only this folder may use Textual's private names.

In: `input_stream` (bytes to whole keys), `bursts` (typed or pasted), `input_events` (Textual's events), all read by
`driver`. Out: `cell_diff` (only changed cells), `output` (a thread that writes, and measures the lag). `capabilities`
describes the terminal and has its escape codes; `resizing` ignores sizes that are out of date. Imports only `messages`.
"""
