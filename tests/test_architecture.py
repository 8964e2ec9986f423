"""The arrows of docs/architecture.md, read from the imports themselves."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"app", "cli", "grader", "worker", "competitions", "migrations"}


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the arrows"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files_of(package: str) -> list[Path]:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package} has no files: this test would check nothing"
    return files


def is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", files_of("grader"), ids=lambda p: str(p.relative_to(ROOT)))
def test_grader_imports_only_numerics(path):
    allowed = sys.stdlib_module_names | {"numpy", "scipy", "torch", "numba", "grader"}
    assert {m for m in imports_of(path) if m.split(".")[0] not in allowed} == set()


@pytest.mark.parametrize("path", files_of("app"), ids=lambda p: str(p.relative_to(ROOT)))
def test_app_imports_no_worker_grader_cli_or_torch(path):
    assert {m for m in imports_of(path) if is_in(m, {"worker", "grader", "cli", "torch"})} == set()


@pytest.mark.parametrize("path", files_of("worker"), ids=lambda p: str(p.relative_to(ROOT)))
def test_worker_imports_neither_routes_nor_the_web_application(path):
    assert {m for m in imports_of(path) if is_in(m, {"app.routes", "app.main", "cli"})} == set()


@pytest.mark.parametrize("package", ["cli/client", "cli/participant", "cli/admin"])
def test_commands_that_speak_to_a_service_know_it_by_its_api_alone(package):
    imported = {module for path in files_of(package) for module in imports_of(path)}
    assert {m for m in imported if is_in(m, {"app", "worker", "grader"})} == set()


@pytest.mark.parametrize("name", ["runner.py", "retraining.py"])
def test_what_lives_inside_a_sandbox_imports_nothing_of_ours(name):
    imported = imports_of(ROOT / "worker/sandbox" / name)
    assert {m for m in imported if m.split(".")[0] in OURS} == set()


def test_only_unit_of_work_commits():
    callers = [
        str(path.relative_to(ROOT))
        for package in ("app", "worker", "cli")
        for path in files_of(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert callers == []
