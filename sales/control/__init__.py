"""Control totals: what a source says it has, compared with our books down to the single row.

`comparing` counts the books, `differences` finds the rows, `services` has the verbs.
"""
