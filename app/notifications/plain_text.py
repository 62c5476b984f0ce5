"""Texts of strangers, as other people may be shown them."""

# Format characters that words of Persian and Hindi, and families of emoji, are made with.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Return a text whose characters are seen, and obeyed by no terminal; lines stay lines."""
    return "".join(each for each in text if each.isprintable() or each in _JOINERS or each == "\n")


def one_line(text: str) -> str:
    """Return a text without anything that ends a line, or a header."""
    spaced = "".join(each if each.isprintable() or each in _JOINERS else " " for each in text)
    return " ".join(spaced.split())


def shorten(text: str, most: int) -> str:
    """Return a text of at most so many characters, cut where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
