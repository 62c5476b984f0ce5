"""Every code block that is a command or a program is run, or says why not."""

import pytest

from tests.docs.blocks import PROGRAMS, ROOT, SHOWN, Block, blocks_of, documents

BLOCKS = [block for document in documents() for block in blocks_of(document)]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 20


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_a_block_is_fenced_and_says_what_it_is(block: Block) -> None:
    """An indented block could be a command or its output: nobody knows."""
    assert block.language in (*PROGRAMS, *SHOWN)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_a_remark_before_a_block_is_one_that_we_know(block: Block) -> None:
    if block.remark:
        assert block.reason_not_to_run or block.run_by, block.remark
    if block.reason_not_to_run:
        assert block.language in PROGRAMS
        assert len(block.reason_not_to_run.split()) >= 3
    if block.run_by:
        assert (ROOT / block.run_by).is_file()
        assert block.document in (ROOT / block.run_by).read_text()
