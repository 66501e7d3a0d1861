"""The words that users meet, for both front ends: pure functions from values of `model` to text.

`amounts` (rates, times, percentages), `clock`, `files`, `uploads`, `processing`, `commands`, `bandwidth`, `link`,
`banner` (why nothing moves), `notices`, `history` (past events), `results`, `result_findings`, `watches`, `hooks`,
`verification` (may a card be wiped?). The front ends choose, style and clip; the engine's own sentences (reasons,
notices) pass through. Text from outside is made printable here. Knows `model`, `errors`, `file_kinds` and `text`; only
`cli`, `tui` and the engine's `hooks` import it.
"""
