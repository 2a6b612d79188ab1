"""The verbs of sales."""
