"""``pip install .`` gives a hadeploy that needs no checkout: the wheel, in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

PROJECT = Path(__file__).resolve().parents[2]


def run(*argv: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(top), str(PROJECT), cwd=top)
    (wheel,) = top.glob("hadeploy-*.whl")
    run(*pip, "install", "--no-deps", "--no-index", "--target", str(top / "site"), str(wheel), cwd=top)
    return top / "site"


def test_it_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    where = run(
        sys.executable,
        "-c",
        "import hadeploy; print(hadeploy.__file__)",
        cwd=tmp_path,
        PYTHONPATH=str(installed),
    )
    assert Path(where.strip()).is_relative_to(installed)


@pytest.mark.parametrize("pattern", ["active-passive", "active-active", "n-plus-1"])
def test_init_validate_and_compile_as_from_the_checkout(
    installed: Path, tmp_path: Path, pattern: str
) -> None:
    here = {"cwd": tmp_path, "PYTHONPATH": str(installed)}
    hadeploy = (sys.executable, "-m", "hadeploy")
    run(*hadeploy, "init", pattern, **here)
    run(*hadeploy, "validate", "topology.yaml", **here)
    shutil.copy(PROJECT / "inventories" / pattern / "topology.yaml", tmp_path / "example.yaml")
    run(*hadeploy, "compile", "example.yaml", "--out", "wheel", **here)
    run(*hadeploy, "compile", "example.yaml", "--out", "checkout", cwd=tmp_path, PYTHONPATH=str(PROJECT))
    wheel, checkout = tmp_path / "wheel" / pattern, tmp_path / "checkout" / pattern
    names = sorted(str(p.relative_to(checkout)) for p in checkout.rglob("*") if p.is_file())
    assert names == sorted(str(p.relative_to(wheel)) for p in wheel.rglob("*") if p.is_file())
    assert [name for name in names if (wheel / name).read_bytes() != (checkout / name).read_bytes()] == []
