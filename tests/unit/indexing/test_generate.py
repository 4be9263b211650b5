from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from elasticecsmetrics.indexing.fieldtypes import ELASTICSEARCH, OPENSEARCH, FieldTypes
from elasticecsmetrics.indexing.generate import differing_files, generated_files, main, write_files
from elasticecsmetrics.indexing.templates import Kind, template

MAPPINGS = Path(__file__).parents[3] / "mappings"


def test_shipped_files_agree_with_the_source() -> None:
    assert differing_files(MAPPINGS) == [], "run: python -m elasticecsmetrics.indexing.generate"


@pytest.mark.parametrize(("engine", "types"), [("elasticsearch", ELASTICSEARCH), ("opensearch", OPENSEARCH)])
@pytest.mark.parametrize("kind", ["minimal", "full"])
def test_shipped_file_is_the_stock_template_for_the_default_name(engine: str, types: FieldTypes, kind: Kind) -> None:
    shipped = json.loads((MAPPINGS / f"{engine}-{kind}.json").read_text(encoding="utf-8"))
    assert shipped == template(kind, index_patterns=["python_metrics", "python_metrics-*"], types=types)


def test_check_names_what_is_changed_missing_or_strange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path)
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "elasticsearch-full.json").write_text("{}")
    (tmp_path / "opensearch-full.json").unlink()
    (tmp_path / "ecs1.4.0_compatible_minimal.json").write_text("{}")
    (tmp_path / "README.rst").write_text("not a template")
    assert main(["--check", str(tmp_path)]) == 1
    named = [Path(line.partition(": ")[0]).name for line in capsys.readouterr().err.splitlines()]
    assert named == ["ecs1.4.0_compatible_minimal.json", "elasticsearch-full.json", "opensearch-full.json"]


def test_check_of_a_missing_folder_fails_and_writes_nothing(tmp_path: Path) -> None:
    assert main(["--check", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists()


def test_files_are_the_same_in_every_process(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "elasticecsmetrics.indexing.generate", str(tmp_path)],
        check=True,
        cwd=MAPPINGS.parent,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == generated_files()


def test_wrong_usage_exits_2() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--no-such-option"])
    assert raised.value.code == 2
