"""The look of a page that needs nothing else, and the script that draws its charts."""

from importlib.resources import files


def page_style() -> str:
    """Read the style of a self-contained page.

    Returns:
        CSS for a style element.

    Example:
        >>> "@media print" in page_style()
        True
    """
    return _text("page.css")


def page_script() -> str:
    """Read the script that draws every figure of a self-contained page.

    Returns:
        JavaScript for a script element, to stand after ECharts: it draws each
        `figure[data-chart]` from the option in its JSON element.

    Example:
        >>> "echarts.init" in page_script()
        True
    """
    return _text("page.js")


def _text(name: str) -> str:
    return (files("regulars.charts") / name).read_text(encoding="utf-8")
