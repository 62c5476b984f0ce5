"""Values as JSON objects, whose names are in camel case."""


def to_camel(name: str) -> str:
    """Return a name of ours as JSON and paths spell it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
