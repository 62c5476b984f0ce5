"""The work of laying Markdown out, counted as it is done: no text keeps the parser for long."""

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from app.server.pauses import let_others_work

# Of all tables of a message; the parser fills short rows up to the width of the first.
MAX_CELLS = 2000
# Of quotes and lists in each other, and of images in each other's texts.
MAX_NESTING = 20
# Between two looks at what else there is to do.
_STEPS_AT_ONCE = 1000
METER = "meter"
"""Where the parser's environment has its meter."""


class TooMuchWork(Exception):
    """A text is too intricate to be laid out."""


class Meter:
    """Counts the work on one message, and lets others work meanwhile."""

    def __init__(self, most_steps: int) -> None:
        self.steps = 0
        self._most_steps = most_steps
        self._cells = 0
        self._images = 0

    def step(self) -> None:
        """Count one rule tried at one place."""
        self.steps += 1
        if self.steps > self._most_steps:
            raise TooMuchWork
        if self.steps % _STEPS_AT_ONCE == 0:
            let_others_work()

    def add_cells(self, count: int) -> None:
        """Count the cells of a table."""
        self._cells += count
        if self._cells > MAX_CELLS:
            raise TooMuchWork

    def enter_image(self) -> None:
        """Go into the text of an image."""
        self._images += 1
        if self._images > MAX_NESTING:
            raise TooMuchWork

    def leave_image(self) -> None:
        """Come out of it."""
        self._images -= 1


_BlockRule = Callable[[StateBlock, int, int, bool], bool]
_InlineRule = Callable[[StateInline, bool], bool]


def _metered_block(rule: _BlockRule) -> _BlockRule:
    def metered(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
        state.env[METER].step()
        if state.level >= MAX_NESTING:  # the parser would leave the rest out
            raise TooMuchWork
        return rule(state, begin, end, silent)

    return metered


def _metered_table(rule: _BlockRule) -> _BlockRule:
    def metered(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
        if not silent and rule(state, begin, end, True):
            state.env[METER].add_cells(_most_cells(state, begin, end))
        return rule(state, begin, end, silent)

    return metered


def _most_cells(state: StateBlock, begin: int, end: int) -> int:
    """Return how many cells a table has, or a few more: it ends at the next empty line."""
    head = state.src[state.bMarks[begin] : state.eMarks[begin]].strip()
    columns = head.removeprefix("|").removesuffix("|").count("|") + 1
    past = next((line for line in range(begin, end) if state.isEmpty(line)), end)
    return columns * (past - begin - 1)


def _metered_inline(rule: _InlineRule) -> _InlineRule:
    def metered(state: StateInline, silent: bool) -> bool:
        state.env[METER].step()
        return rule(state, silent)

    return metered


def _metered_image(rule: _InlineRule) -> _InlineRule:
    # An image's text is parsed by a parser of its own, which counts its depth anew.
    def metered(state: StateInline, silent: bool) -> bool:
        meter: Meter = state.env[METER]
        meter.enter_image()
        try:
            return rule(state, silent)
        finally:
            meter.leave_image()

    return metered


class _InlineParser(ParserInline):
    """Counts the steps of looking for the end of a bracket, too: they grow with its square."""

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - the parser's own name
        """Go past one token."""
        state.env[METER].step()
        super().skipToken(state)


def count_work(parser: MarkdownIt) -> None:
    """Let a parser tell the meter in its environment of each step."""
    parser.inline = _InlineParser()
    # The alternatives are the paragraphs, quotes and lists that a block may end.
    for block in list(parser.block.ruler.__rules__):
        rule = _metered_table(block.fn) if block.name == "table" else block.fn
        parser.block.ruler.at(block.name, _metered_block(rule), {"alt": block.alt})
    for inline in list(parser.inline.ruler.__rules__):
        part = _metered_image(inline.fn) if inline.name == "image" else inline.fn
        parser.inline.ruler.at(inline.name, _metered_inline(part))
