"""PostgreSQL and Valkey for a machine that has neither; used through `channel_crm.local`.

Only the standard library is imported here: a keeper lives as long as its server and stays small.
"""
