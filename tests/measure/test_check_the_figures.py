"""The page for who checks us shows what comes out when its lines are run."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "check-the-figures.md"


def test_every_line_of_the_page_gives_what_it_shows():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    page = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    told = []
    found = doctest.DocTestRunner(verbose=False).run(page, out=told.append)

    assert found.attempted > 50
    assert found.failed == 0, "".join(told)
