"""Models as ONNX graphs: written by `s2s export`, and run on onnxruntime for the library's own search.

A step of the search is one call of a graph; all that stands around it (beams, CTC, n-best lists, text and features) is
the library's.
"""

from s2s.export.folder import export_onnx
from s2s.export.runner import ExportedModel, load_exported

__all__ = ["ExportedModel", "export_onnx", "load_exported"]
