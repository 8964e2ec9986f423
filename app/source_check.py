"""Check a submission.py without running it: syntax, entry function, argument names.

Run as a script of its own, so that hostile source can only kill this process: it reads the source from standard input,
limits itself first, and prints {"code": ..., "detail": ...} as JSON, or null when all is well. Standard library only.
"""

import ast
import json
import resource
import sys
import warnings
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice

KNOWN = (
    "net",
    "model",
    "retain_loader",
    "retain",
    "forget_loader",
    "forget",
    "val_loader",
    "validation",
    "validation_loader",
    "class_weights",
    "device",
)
"""Argument names that are matched by name."""

MAX_SOURCE_BYTES = 2_000_000
_MEMORY_BYTES = 512 * 2**20
_CPU_SECONDS = 5
_POSITIONAL = 4  # network, retain, forget, validation
_NAMES_COMPARED = 100
_LONGEST_NAME = 64

Function = ast.FunctionDef | ast.AsyncFunctionDef
Problem = tuple[str, str]


def check(source: bytes, entry_function: str) -> Problem | None:
    """Return a reason code and a detail, or None for a source that can be tried."""
    try:
        tree = ast.parse(source, "submission.py")
        compile(source, "submission.py", "exec", dont_inherit=True)  # finds more: 'return' outside a function
    except SyntaxError as error:
        return "syntax_error", f"submission.py, line {error.lineno}: {error.msg}" if error.lineno else str(
            error.msg
        )
    except ValueError as error:  # null bytes
        return "syntax_error", str(error)
    except (RecursionError, MemoryError):
        return "source_too_complex", "The source is too deeply nested."
    functions = [node for node in _top_level(tree.body) if _defines(node, entry_function)]
    if not functions:
        return "missing_entry_function", _missing(entry_function, tree.body)
    last = functions[-1]
    if isinstance(last, Function) and not last.decorator_list:
        return _check_arguments(last)
    return None  # imported, assigned or decorated: known only once it runs


def _missing(entry_function: str, body: list[ast.stmt]) -> str:
    names = (node.name for node in _top_level(body) if isinstance(node, Function))
    near = get_close_matches(entry_function, list(islice(names, _NAMES_COMPARED)), n=1)
    but = f", but {near[0]}()" if near and len(near[0]) <= _LONGEST_NAME else ""
    return f"submission.py defines no {entry_function}() at its top level{but}."


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk the statements that run at import, into if, try, with, loops and match, but not into functions."""
    for statement in body:
        yield statement
        if isinstance(statement, Function | ast.ClassDef):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from _top_level(getattr(statement, field, []))
        for branch in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
            yield from _top_level(branch.body)


def _defines(node: ast.stmt, name: str) -> bool:
    """Whether a statement may bind the name; a star import may."""
    if isinstance(node, Function | ast.ClassDef):
        return node.name == name
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((alias.asname or alias.name) in {name, "*"} for alias in node.names)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(n, ast.Name) and n.id == name for target in targets for n in ast.walk(target))
    return False


def _check_arguments(function: Function) -> Problem | None:
    """Mirror how a run calls the function: all by known names, or else four by position."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    required_by_name = [
        a for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    names = {argument.arg for argument in (*positional, *arguments.kwonlyargs)}
    if names & set(KNOWN):
        unknown = [a.arg for a in (*required, *required_by_name) if a.arg not in KNOWN]
        problem = f"Unknown argument {', '.join(unknown)}" if unknown else ""
    else:
        room = arguments.vararg is not None or len(positional) >= _POSITIONAL
        fits = room and len(required) <= _POSITIONAL and not required_by_name
        problem = (
            "" if fits else f"The arguments ({', '.join(sorted(names))}) are neither known nor four in number"
        )
    if not problem:
        return None
    return (
        "unknown_argument",
        f"submission.py, line {function.lineno}: {problem[:500]}. Known names: {', '.join(KNOWN)}.",
    )


def main() -> None:
    """Limit this process, then check standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))  # at the soft limit SIGXCPU
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))
    warnings.simplefilter("ignore")
    problem = check(sys.stdin.buffer.read(MAX_SOURCE_BYTES + 1), sys.argv[1])
    json.dump(problem and {"code": problem[0], "detail": problem[1]}, sys.stdout)


if __name__ == "__main__":
    main()
