"""Webhooks by the Standard Webhooks convention: events of the history told to other programs."""
