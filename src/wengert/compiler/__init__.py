"""From an ordinary step to one program: readable NumPy source, and native code."""
