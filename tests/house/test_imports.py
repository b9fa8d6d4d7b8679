"""Imports run backwards round the loop: the contracts of `.importlinter`, run and tested."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as lint; lint()"


def lint(folder):
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_keeps_every_import_contract():
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("measure/planted.py", "import regulars.adjust", "Imports run backwards"),
        ("decide/planted.py", "import regulars.ports.engine", "Only step.py, service.py"),
        ("rehearse/planted.py", "import regulars.adapters.delta_lake", "Only app.py chooses"),
        ("attic/__init__.py", "x = 1", "attic"),
    ],
    ids=[
        "against the loop",
        "mathematics that touches a port",
        "an adapter chosen elsewhere",
        "an unknown room",
    ],
)
def test_a_planted_breach_is_caught(tmp_path, module, line, contract):
    shutil.copytree(
        ROOT / "src",
        tmp_path / "src",
        ignore=shutil.ignore_patterns("__pycache__", "*.js", "*.json"),
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    planted = tmp_path / "src" / "regulars" / module
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f'"""Planted."""\n\n{line}\n')

    result = lint(tmp_path)

    assert result.returncode != 0
    assert contract in result.stdout
