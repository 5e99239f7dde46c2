"""KEY=VALUE pairs of a command line as the arguments of a maker, typed by its signature; what a value may be is the maker's business."""

from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from dialogue.errors import UsageProblem, did_you_mean, listed

KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
ENVIRONMENT = "; options of the environment go with --env-set"  # where a learner is asked for what it does not have


def pairs_of(given: Iterable[str], option: str = "--set") -> dict[str, str]:
    """Return KEY=VALUE texts by key.

    Raises:
        UsageProblem: a text without `=`, or a key given twice.
    """
    pairs: dict[str, str] = {}
    for text in given:
        key, sign, value = text.partition("=")
        key = key.strip().replace("-", "_")
        if not sign or not key:
            raise UsageProblem(f"{option} {text!r} is not KEY=VALUE; write a name, = and a value")
        if key in pairs:
            raise UsageProblem(f"{option} {key} is given twice, as {pairs[key]!r} and {value.strip()!r}; give it once")
        pairs[key] = value.strip()
    return pairs


def typed(maker: Callable[..., Any], given: Mapping[str, Any], owner: str, hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return options with their values as the maker's signature wants them; values that are no texts pass as they are.

    Args:
        maker: whose named parameters are the options.
        given: options by name.
        owner: whose options they are, as messages say it, such as `the environment debt_call`.
        hidden: parameters that are no options. Neither are those that no text can be, such as arrays.

    Raises:
        UsageProblem: the maker has no such option, or the value is of another type.
    """
    known = {
        name: parameter
        for name, parameter in signature(maker, eval_str=True).parameters.items()
        if name not in hidden
        and name != "self"
        and _typable(parameter.annotation)
        and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    found = {}
    for name, value in given.items():
        if name not in known:
            told = f"it has {listed(known)}" if known else "it has none"
            near = did_you_mean(name, known)
            elsewhere = ENVIRONMENT if owner.startswith("the learner ") and not near else ""
            raise UsageProblem(f"{owner} has no option {name!r}{near}; {told}{elsewhere}")
        found[name] = _value(name, value, known[name].annotation, owner) if isinstance(value, str) else value
    return found


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _typable(annotation: Any) -> bool:
    """Whether some text stands for a value of this type, other than `none`."""
    return any(kind in KINDS or get_origin(kind) is Literal for kind in _alternatives(annotation))


def _value(name: str, text: str, annotation: Any, owner: str) -> Any:
    alternatives = [kind for kind in _alternatives(annotation) if kind in KINDS or kind is NoneType or get_origin(kind) is Literal]
    for kind in sorted(alternatives, key=lambda kind: kind is str):  # a text takes everything: it is tried last
        if get_origin(kind) is Literal:
            if text in get_args(kind):
                return text
        elif kind is NoneType:
            if text.lower() in ("none", ""):
                return None
        elif kind is bool:
            if text.lower() in TRUTHS:
                return TRUTHS[text.lower()]
        elif kind is str:
            return text
        else:
            try:
                return kind(text)
            except ValueError:
                continue
    raise UsageProblem(f"{name} of {owner} is {text!r}; it takes {' or '.join(dict.fromkeys(map(_told, alternatives)))}")


def _told(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {listed(map(str, get_args(kind)))}"
    return "none" if kind is NoneType else KINDS.get(kind, "a text")
