"""A page as PDF, by the Chromium of the machine, without a window."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from regulars.errors import NotReady, Permanent

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120


def browser_path() -> str:
    """Find the browser that prints.

    Returns:
        Its path.

    Raises:
        NotReady: None is installed.
    """
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise NotReady(
        f"no Chromium to print with (looked for {', '.join(BROWSERS)}); install one, on Debian: "
        "apt-get install chromium; or take the report as HTML and print it in any browser"
    )


def print_page(html: str) -> bytes:
    """Print a page that needs nothing else.

    Args:
        html: The page; its scripts are run.

    Returns:
        The PDF.

    Raises:
        NotReady: No Chromium is installed.
        Permanent: It printed nothing.
    """
    browser = browser_path()
    with TemporaryDirectory(prefix="regulars-report-") as place:
        folder = Path(place)
        (folder / "report.html").write_text(html, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--no-sandbox",  # the page is ours and loads nothing; a container has no sandbox
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-pdf-header-footer",
            "--virtual-time-budget=10000",
            f"--user-data-dir={folder / 'profile'}",
            f"--print-to-pdf={folder / 'report.pdf'}",
            (folder / "report.html").as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise Permanent(
                f"{browser} did not print within {SECONDS} seconds; try again, or take the HTML"
            ) from error
        printed = folder / "report.pdf"
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            said = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise Permanent(f"{browser} printed nothing: {said}; take the report as HTML")
        return printed.read_bytes()
