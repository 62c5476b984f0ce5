"""Every code block that is a command or a program is run, or says why not."""

from tests.docs.blocks import PROGRAMS, ROOT, SHOWN, Block, blocks_of, documents

BLOCKS = [block for document in documents() for block in blocks_of(document)]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 20


def test_a_block_is_fenced_and_says_what_it_is() -> None:
    """An indented block could be a command or its output: nobody knows."""
    known = (*PROGRAMS, *SHOWN)

    assert [(each.where, each.language) for each in BLOCKS if each.language not in known] == []


def test_a_remark_before_a_block_is_one_that_we_know() -> None:
    remarks = [(each.where, each.remark) for each in BLOCKS if each.remark and not is_known(each)]

    assert remarks == []


def is_known(block: Block) -> bool:
    if block.run_by:
        file = ROOT / block.run_by
        return file.is_file() and block.document in file.read_text()
    reason = block.reason_not_to_run or ""
    return block.language in PROGRAMS and len(reason.split()) >= 3
