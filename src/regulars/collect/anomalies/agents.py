"""What a User-Agent says of who is at work: a browser, a robot, a headless browser, a script."""

import pyarrow as pa
import pyarrow.compute as pc

ROBOT = "robot"
HEADLESS = "headless"
SCRIPT = "script"

# Robots name themselves: by a word for what they do, or by where to read about them. "u" before
# "bot" is left out because of the telephones of Cubot.
_NAMED = r"(?i)(?:^|[^u])bots?(?:$|[^a-z])|robot|crawl|spider|slurp"
_ROBOT = (
    _NAMED + r"|scrap(?:er|ing|y)|harvest|archiv"
    r"|https?:|www\.|\.(?:com|org|net)\b|@[a-z]|fetch(?:er)?\b|\bfeed|feed\b|\brss|uptime|monitor"
    r"|pingdom|\bping[/ ]|probe|scann|previe|validat|checker|\bsearch\b|index|\bagent\b|\bproxy\b"
    r"|synthetic|inspect|audit|webhook|favicon|-user/|assistant|\bverif"
)
_HEADLESS = (
    r"(?i)headless|phantomjs|slimerjs|selenium|webdriver|puppeteer|playwright|jsdom|zombie\.js"
    r"|cypress|lighthouse|splash version|gtmetrix|\bptst/|ghost inspector"
)
# A browser says what it runs on and which engine it has.
_BROWSER = (
    r"^Mozilla/\d\.\d+ \(.*\) .*(?:AppleWebKit|Gecko)/|^Mozilla/\d\.\d+ \(.*(?:Trident/|MSIE )"
    r"|^Opera/\d|^Dalvik/\d"
)


def kinds_of_agents(agents: pa.Array, *, of_pages: bool) -> pa.Array:
    """Say of each User-Agent what is wrong with it as the agent of a customer.

    Equal agents are judged once, by expressions that take time linear in the text, because
    whoever sends it chooses the text.

    Args:
        agents: User-Agent texts, any length; may hold empty values.
        of_pages: True for agents that pages report: there a library is a robot, and what is
            no browser is a `script`. False for headers of requests, which a retailer's own
            servers and apps send with the library they use: only the plain words for a robot
            and headless browsers count.

    Returns:
        One text per agent: `robot`, `headless`, both separated by a space, or `script`; empty
        (null) for a browser and where there is no agent.

    Source:
        Ours, because a list of the names of known robots is long and always old: words of the
        trade and the form of a browser's agent find the same ones.

    Example:
        >>> browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/150"
        >>> texts = pa.array([browser, "Googlebot/2.1", "curl/8.1", None])
        >>> kinds_of_agents(texts, of_pages=True).to_pylist()
        [None, 'robot', 'script', None]
    """
    encoded = agents.dictionary_encode()
    if not len(encoded.dictionary):
        return pa.nulls(len(agents), pa.string())
    texts = encoded.dictionary.cast(pa.string())
    robot, headless = (
        pc.match_substring_regex(texts, rule)
        for rule in (_ROBOT if of_pages else _NAMED, _HEADLESS)
    )
    choices = [f"{ROBOT} {HEADLESS}", ROBOT, HEADLESS]
    tests = [pc.and_(robot, headless), robot, headless]
    if of_pages:
        browser = pc.match_substring_regex(texts, _BROWSER)
        choices, tests = [*choices, SCRIPT], [*tests, pc.invert(browser)]
    kinds = pc.case_when(pc.make_struct(*tests), *choices)
    return kinds.take(encoded.indices)
