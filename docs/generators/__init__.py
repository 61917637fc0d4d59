"""The parts of the documentation that programs write: operations, API, notebooks, pictures and formulas."""
