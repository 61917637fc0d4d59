"""Speed and memory, against the budgets and against other frameworks: ``python -m benchmarks``."""
