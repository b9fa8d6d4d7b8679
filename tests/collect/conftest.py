"""A lake in a folder, files written in place, tables read back."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.collect.sources.mapping import mapping_by_name, mapping_of
from regulars.collect.sources.service import import_files

ZONE = "Asia/Shanghai"


class Shop:
    """A folder of files, a lake, and the import between them."""

    def __init__(self, folder):
        self.folder = folder / "files"
        self.folder.mkdir(parents=True)
        self.lake = DeltaLake(folder / "lake")

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def bring(self, *names, mapping=None, lake=None, **options):
        files = [self.folder / name for name in names] or [self.folder]
        rules = mapping_of(mapping) if mapping else mapping_by_name()
        return import_files(lake or self.lake, files, rules, **({"zone": ZONE} | options))

    def rows(self, name, *columns):
        rows = self.table(name).to_pylist()
        if columns:
            return sorted(tuple(row[column] for column in columns) for row in rows)
        return sorted(rows, key=repr)

    def table(self, name):
        return table_of(self.lake, name)

    @staticmethod
    def ledger(results):
        return {
            (r.file, r.table): (r.received, r.stored, r.duplicate, r.quarantined) for r in results
        }

    def held_back(self):
        return {(r["file"], r["row"], r["reason"]) for r in self.rows("quarantine")}


def table_of(lake, name):
    schema = lake.schema(name)
    parts = [pq.read_table(path).cast(schema) for path in lake.files(name)]
    return pa.concat_tables(parts or [schema.empty_table()])


@pytest.fixture(scope="session")
def new_shop():
    """Give what opens a shop in a folder."""
    return Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)
