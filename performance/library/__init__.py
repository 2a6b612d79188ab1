"""The library of measures: a page each, and those that users derive from others."""
