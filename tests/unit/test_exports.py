import ast
import importlib
import inspect
from pathlib import Path

import pytest

import bluegreen

PACKAGE = Path(bluegreen.__file__).parent

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)


def imported(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "bluegreen":
            raise
        pytest.skip(f"{name} needs {error.name}, which is not installed")


def names_of(target):
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from names_of(element)


def defined_at_top_level(module):
    """Classes, functions and names with a value that the source itself defines, not imports."""
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from names_of(target)
            case ast.AnnAssign(target=target):
                yield from names_of(target)


def place_in_order(name):
    """The order that ruff asks for (RUF022): constants, classes, functions."""
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_what_is_public_in_order(name):
    module = imported(name)

    assert list(module.__all__) == sorted(set(module.__all__), key=place_in_order)


@pytest.mark.parametrize("name", MODULES)
def test_everything_that_is_listed_exists(name):
    module = imported(name)

    assert [listed for listed in module.__all__ if not hasattr(module, listed)] == []
    assert [listed for listed in module.__all__ if listed.startswith("_")] == []


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_that_a_module_defines_is_listed(name):
    module = imported(name)

    public = {defined for defined in defined_at_top_level(module) if not defined.startswith("_")}
    assert public - set(module.__all__) == set()


def test_type_checkers_are_told_that_the_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()
