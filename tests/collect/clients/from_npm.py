"""Published npm clients: those of Node in one process, those of the browser in a real browser."""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.browsing import open_browser
from tests.collect.clients.door import Files
from tests.collect.clients.from_python import POSTHOG, SNOWPLOW, SPEC, THINKINGDATA

NPM = Path(__file__).parent / "npm"
SCRIPTS = ("from_node.mjs", "browser.html", "browser.js")
SENSORS = [
    ("page", "街角超市"),
    ("track", "ViewProduct"),
    ("track", "PayOrder"),
    ("track", "$UnbindID"),
    ("track", "$ItemSet"),
    ("track", "$ItemDelete"),
    *[("identify", None)] * 9,
]


@dataclass(frozen=True)
class Client:
    expected: list
    packs: tuple = (False,)
    retries: bool = True
    job: dict = field(default_factory=dict)


NODE = {
    "segment_node": Client(SPEC),
    "rudder_node": Client(SPEC, (False, True)),
    "posthog_node": Client(
        [one for one in POSTHOG if one != ("identify", None)] + [("identify", None)], (False, True)
    ),
    # These drop what could not be sent.
    "thinkingdata_node": Client(THINKINGDATA, (False, True), retries=False),
    "thinkingdata_node_debug": Client(THINKINGDATA, retries=False),
    "snowplow_node": Client(SNOWPLOW),
}
BROWSER = {
    "segment_browser": Client(SPEC, job={"client": "segment_browser"}),
    "segment_browser_batches": Client(SPEC, job={"client": "segment_browser", "batching": True}),
    "rudder_browser": Client(
        [one for one in SPEC if one[0] != "screen"], job={"client": "rudder_browser"}
    ),
    # An image, a form and a beacon are sent once; only batches are kept until they went through.
    "sensors_browser_image": Client(
        SENSORS, retries=False, job={"client": "sensors_browser", "send": "image"}
    ),
    "sensors_browser_form": Client(
        SENSORS, retries=False, job={"client": "sensors_browser", "send": "ajax"}
    ),
    "sensors_browser_beacon": Client(
        SENSORS, retries=False, job={"client": "sensors_browser", "send": "beacon"}
    ),
    "sensors_browser_batches": Client(
        SENSORS, job={"client": "sensors_browser", "send": "ajax", "batch": True}
    ),
}


def lay_out(folder: Path):
    """Put our scripts beside the installed packages, where imports are looked for."""
    for name in SCRIPTS:
        shutil.copy(NPM / name, folder)


def run_node(folder, jobs):
    """Let the clients of Node make their calls all at once; give what went wrong, per job."""
    words = ["node", str(folder / "from_node.mjs"), json.dumps(jobs)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode or not done.stdout:
        return [[done.stderr[-500:] or "no output"]] * len(jobs)
    return json.loads(done.stdout.splitlines()[-1])


class Browser:
    """Headless Chromium with a page of a shop, new for each client."""

    def __init__(self, folder, profile):
        self.driver = open_browser(profile)
        self.shop = Files(folder)

    def run(self, job, door, count):
        """Let one client make its calls, and wait until they were acknowledged."""
        self.driver.get(f"http://{self.shop.address}/browser.html")
        self.driver.execute_script("localStorage.clear(); sessionStorage.clear()")
        self.driver.delete_all_cookies()
        self.driver.refresh()
        said = self.driver.execute_async_script(
            "const done = arguments[1]; window.run(arguments[0]).then(done)", job
        )
        for _ in range(1200):
            if len(door.acknowledged()) >= count and not door.faults:
                break
            time.sleep(0.05)
        # Long enough for a client to send again what it need not.
        time.sleep(0.5)
        return said

    def close(self):
        self.shop.close()
        self.driver.quit()
