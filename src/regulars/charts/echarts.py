"""The one copy of ECharts that every page draws with."""

from importlib.resources import files
from importlib.resources.abc import Traversable

ECHARTS_VERSION = "6.1.0"
"""Version of the vendored library (Apache-2.0; its licence and notice lie beside it)."""


def echarts_file() -> Traversable:
    """Name the vendored script, for a page that serves it as a file.

    Returns:
        The file within the package; `echarts_file().read_bytes()` gives its bytes.
    """
    return files("regulars.charts") / "vendor" / "echarts.common.min.js"


def echarts_script() -> str:
    """Read the vendored script, for a page that holds it inline.

    Returns:
        JavaScript that defines the global `echarts`.

    Example:
        >>> ECHARTS_VERSION in echarts_script()
        True
    """
    return echarts_file().read_text(encoding="utf-8")
