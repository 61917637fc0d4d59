"""Models for other programs: ONNX, and a Python file that needs NumPy alone.

Both are written from the model's graph, as it predicts.
"""

from wengert.export.numpy_file import numpy_source, save_numpy_file
from wengert.export.onnx_file import save_onnx

__all__ = ["numpy_source", "save_numpy_file", "save_onnx"]
