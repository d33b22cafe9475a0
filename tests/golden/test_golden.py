"""The whole build tree of each example, byte for byte. `make golden` writes it anew; read the diff before committing it.

The vendored roles are the roles of this repository, so they are not kept twice; the manifest is compared without them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hadeploy.app.build import compile_topology

HERE = Path(__file__).resolve().parent
INVENTORIES = HERE.parents[1] / "inventories"


def tree(root: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith("roles/"):
            files[name] = path.read_bytes()
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: value for name, value in manifest["files"].items() if not name.startswith("roles/")
    }
    files["manifest.json"] = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    return files


@pytest.mark.parametrize("example", sorted(path.name for path in INVENTORIES.iterdir() if path.is_dir()))
def test_build_is_what_it_was(example, tmp_path, request):
    done, findings = compile_topology(INVENTORIES / example / "topology.yaml", tmp_path)
    assert done is not None, [finding.summary for finding in findings]
    built = tree(done[0])
    kept = HERE / "trees" / example
    if request.config.getoption("--update-golden"):
        shutil.rmtree(kept, ignore_errors=True)
        for name, content in built.items():
            target = kept / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    golden = {str(p.relative_to(kept)): p.read_bytes() for p in sorted(kept.rglob("*")) if p.is_file()}
    assert sorted(built) == sorted(golden)
    for name, content in built.items():
        assert content.decode() == golden[name].decode(), name


def test_the_same_input_gives_the_same_bytes(tmp_path):
    topology = INVENTORIES / "active-passive" / "topology.yaml"
    first, _ = compile_topology(topology, tmp_path / "a")
    second, _ = compile_topology(topology, tmp_path / "b")
    assert first is not None
    assert second is not None
    for path in sorted(first[0].rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (second[0] / path.relative_to(first[0])).read_bytes()
