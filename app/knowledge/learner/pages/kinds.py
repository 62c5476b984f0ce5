"""Which kinds of files are learnt, and how they are known before they are read."""

from pathlib import PurePosixPath

MAX_FILE_BYTES = 20 * 1024 * 1024
_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/plain": "text",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/csv": "csv",
}
_EXTENSIONS = {
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".md": "markdown", ".markdown": "markdown", ".mdx": "markdown",
    ".txt": "text", ".text": "text", ".pdf": "pdf", ".docx": "docx", ".csv": "csv",
}  # fmt: skip
# Servers that do not know a type say one of these.
_UNSURE = ("", "application/octet-stream", "binary/octet-stream", "text/plain")


def kind_of(name: str, content_type: str = "") -> str | None:
    """Return what a file is said to be, by its header, else by the end of its name.

    ``None`` for what is not learnt.
    """
    said = content_type.partition(";")[0].strip().lower()
    by_name = _EXTENSIONS.get(PurePosixPath(name).suffix.lower())
    if said in _UNSURE:
        return by_name or _TYPES.get(said)
    return _TYPES.get(said)
