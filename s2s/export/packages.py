"""The packages that only models as graphs need."""

from importlib.util import find_spec

from s2s.errors import S2SError


def need(name: str) -> None:
    """S2SError, with the cure, unless the package is installed."""
    if find_spec(name) is None:
        raise S2SError(f"{name} is not installed, and models as graphs need it: pip install 's2s[onnx]'.")
