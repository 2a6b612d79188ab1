"""The frame of the API: what a model's `ScopedViewSet` stands on.

`views` reads and writes rows, `serializers` names and checks their fields, `queries` reads the
address, `pages` cuts lists, `permissions` says who may, `problems` words every error, `schema`
describes it all.
"""
