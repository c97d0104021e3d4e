"""JSON into the dataclasses of `llm_prof.report`."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


def decode(kind: type[T], value: Any) -> T:
    """A value as what its type says. Fields that a newer program adds are left; one that is missing is a TypeError."""
    decoder: Callable[[Any], T] = _decoder(typing.cast(Hashable, kind))
    return decoder(value)


@functools.cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        make: Callable[..., Any] = kind  # type: ignore[assignment]
        # Looked up when a value comes, for types may hold themselves.
        return lambda value: make(**{key: _decoder(hints[key])(one) for key, one in value.items() if key in hints})
    if origin is list:
        return lambda value: [_decoder(parts[0])(one) for one in value]
    if origin is dict:
        return lambda value: {key: _decoder(parts[1])(one) for key, one in value.items()}
    if origin in (typing.Union, types.UnionType):
        (present,) = [part for part in parts if part is not type(None)]
        return lambda value: None if value is None else _decoder(present)(value)
    if kind is float:
        return float
    return lambda value: value
