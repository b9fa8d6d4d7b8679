"""Read cases, find whom each rule holds for by Sail, write what was found; runs in Sail's own environment.

It is called with a file of cases and a file for the answers. The definitions are those of the
package: nothing is written a second time.
"""

import json
import sys
from pathlib import Path

import ibis
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession
from tests.contracts.engines.told import told
from tests.understand.audiences.worlds import found


def main(cases: Path, answers: Path) -> None:
    server = SparkConnectServer()
    server.start(background=True)
    _host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    sail = ibis.pyspark.connect(session)
    given = json.loads(cases.read_text("utf-8"))
    said = [sorted(found(sail, one["rule"], **told(one))) for one in given]
    answers.write_text(json.dumps(said), encoding="utf-8")
    session.stop()
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
