"""Facts that are shown to the user.

`progress` counts bytes of running transfers, `eta` turns them into rates and times left, `notices` picks the one notice
that matters, `holds` and `file_holds` name why an upload or a file does not move, and `snapshot` makes the values for
front ends. All but `progress` is pure. Workers write to `progress`; `queries` reads the rest.
"""
