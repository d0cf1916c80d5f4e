"""From what stands after ``run`` to a model: a name of the zoo, or a Python file."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pymc as pm

from statmech_dsl.cli.arguments import did_you_mean
from statmech_dsl.cli.failures import describe
from statmech_dsl.cli.parameters import read_parameters
from statmech_dsl.errors import ArgumentError, ModelError, StatmechError
from statmech_dsl.models import MODELS


def load_model(text: str, param: Sequence[str]) -> pm.Model:
    """Return the model that `text` names, built with the parameters ``NAME=VALUE``.

    Raises
    ------
    ArgumentError
        There is no such model, file or parameter.
    ModelError
        The file or its function fails, or gives no model; the message has file and line.
    """
    file = re.fullmatch(r"(.+\.py)(?::(\w+))?", text)
    if not file:
        function = zoo_function(text)
        return _build(function, read_parameters(function, param), None)
    path = Path(file[1])
    found = _find(_import(path), path, file[2])
    if isinstance(found, pm.Model):
        if param:
            raise ArgumentError(
                f"the model in {path} takes no parameters",
                where=f"-p {param[0]}",
                mend="return it from a function that takes them",
            )
        return found
    return _build(found, read_parameters(found, param), path)


def zoo_function(name: str) -> Callable[..., pm.Model]:
    """Return the function of `statmech_dsl.models` that has this name."""
    if name not in MODELS:
        raise ArgumentError(
            f"there is no model {name!r}",
            where=did_you_mean(name, MODELS),
            mend="`statmech models` lists them; a model of your own is named as FILE.py",
        )
    return MODELS[name]


def _import(path: Path) -> ModuleType:
    """Run the file as a module, with its folder on the path as for ``python FILE.py``."""
    if not path.is_file():
        raise ArgumentError(f"there is no file {path}")
    name = f"statmech_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failure(error, path) from error
    return module


def _find(module: ModuleType, path: Path, name: str | None) -> Any:
    """Return the model or the function in a file: by name, or the only one that it can be."""
    own = {
        k: v
        for k, v in vars(module).items()
        if isinstance(v, pm.Model)
        or (inspect.isfunction(v) and v.__module__ == module.__name__ and not k.startswith("_"))
    }
    if name is not None:
        if name not in own:
            raise ArgumentError(
                f"{path} has no model or function {name!r}",
                where=did_you_mean(name, own),
                mend=f"it has {', '.join(own)}" if own else "it has none at all",
            )
        return own[name]
    if "model" in own:
        return own["model"]
    models = {k: v for k, v in own.items() if isinstance(v, pm.Model)}
    candidates = models or own
    if len({id(v) for v in candidates.values()}) == 1:
        return next(iter(candidates.values()))
    if not candidates:
        raise ArgumentError(
            f"{path} has no model", mend="call it `model`, or return it from a function"
        )
    raise ArgumentError(
        f"{path} has several {'models' if models else 'functions'}: {', '.join(candidates)}",
        mend=f"name one, as {path}:{next(iter(candidates))}",
    )


def _build(function: Callable[..., Any], values: dict[str, Any], path: Path | None) -> pm.Model:
    try:
        model = function(**values)
    except Exception as error:
        if path is None and isinstance(error, StatmechError):
            raise
        given = ", ".join(f"{k}={v!r}" for k, v in values.items())
        raise _failure(error, path, f"{function.__name__}({given})") from error
    if not isinstance(model, pm.Model):
        raise ModelError(
            f"{function.__name__} in {path} returns {type(model).__name__}, not a model",
            mend="end it with `return model`",
        )
    return model


def _failure(error: BaseException, path: Path | None, where: str = "") -> ModelError:
    """Say what failed, and on which line of the user's file."""
    if isinstance(error, SyntaxError):  # in this file or in one that it imports
        where = f"{error.filename}:{error.lineno}"
        error = type(error)(f"{error.msg}: {(error.text or '').strip()}")
    elif path is not None:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if Path(f.filename) == path.resolve()]
        where = f"{path.resolve()}:{lines[-1]}" if lines else str(path)
    return ModelError(f"{where}: {describe(error)}")
