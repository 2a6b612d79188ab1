"""Facts (sales lines, payments) from files and requests: by COPY and sets, by the million.

`kinds` says what each kind of facts is; `load` sorts the rows of a file into new, known and
rejected and writes them; `undo` takes an import back. docs/adr/sales-facts.md has the reasons.
"""
