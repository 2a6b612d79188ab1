"""Trying a scheme on the past before it counts, and one partner on other figures.

Both use the engine of evaluations (performance.run) and write nothing but their report.
docs/algorithms/backtest.md says how every figure comes about.
"""
