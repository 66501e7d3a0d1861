"""Facts that are shown to the user.

`progress` counts bytes of running transfers, `eta` turns them into rates and times left, `notices` picks the one notice
that matters, `holds` names why an upload does not move, and `snapshot` makes the values for front ends. All but
`progress` is pure. Workers write to `progress`;
`queries` reads the rest.
"""
