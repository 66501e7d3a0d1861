"""Rate limit, timetable and data budget.

`units` and `timetable` parse the user's input, `policy` decides what may be sent now (all three pure), and `governor`
keeps the settings and sets the throttle accordingly. Imported by the pipeline and everything above it.
"""
