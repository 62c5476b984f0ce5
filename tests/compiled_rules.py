"""Compiled URL builders, kept from one test's application to the next."""

from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.routing import Rule


@cache
def keep_compiled_rules() -> None:
    """Let Werkzeug compile each rule once in this process.

    A server compiles its rules once in its life. A test process makes
    hundreds of applications, and compiling took four fifths of each.
    """
    compile_builder = Rule._compile_builder
    builders: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        # Without defaults, all else that a builder needs reaches it as ``self``.
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, *rule._trace, append_unknown)
        if key not in builders:
            builders[key] = compile_builder(rule, append_unknown)
        return builders[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]
