"""The inner loops of the index: compiled where numba is installed, else on numpy alone."""

from types import ModuleType

from wirewatch.index import kernels_numpy


def _best() -> ModuleType:
    try:
        from wirewatch.index import kernels_numba  # noqa: PLC0415 - optional
    except ImportError:
        return kernels_numpy
    return kernels_numba


kernels: ModuleType = _best()
"""Either `kernels_numba` or `kernels_numpy`; chosen once, at import."""
