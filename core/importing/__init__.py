"""Files in: readers (bytes → records), mapping (columns → fields), loaders (records → rows).

One engine serves the command, the page and later the API. An app adds a kind with one importer
class in its `importers.py` (see core.importing.registry).
"""
