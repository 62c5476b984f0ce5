"""Thoughts that a model writes into its answer."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.thinking import HeadFilter, cut_thinking

# As the models of OpenAI with open weights write, where their server leaves it in the text.
ANALYSIS = "<|channel|>analysis<|message|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"


def filtered(*texts: str) -> tuple[str, bool]:
    head = HeadFilter()
    said = "".join(head.take(text) for text in texts)
    return said + head.end(), head.is_thinking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello!", "Hello!"),
        ("<think>hm</think>\n\nHello!", "Hello!"),
        (" \n<Thinking>hm</THINKING>Hello!", "Hello!"),
        ("<think>a</think><thought>b</thought> Hello!", "Hello!"),
        ("<think>\u0130\u0130</think>Hello!", "Hello!"),
        ("[THINK]hm [x][/THINK]Hello!", "Hello!"),
        ("◁think▷hm◁/think▷Hello!", "Hello!"),
        ("<seed:think>hm</seed:think>Hello!", "Hello!"),
        ("<reasoning>hm</think>so</reasoning>\nHello!", "Hello!"),
        ("<thoughts>hm</thoughts>Hello!", "Hello!"),
        ("<思考>hm</思考>Hello!", "Hello!"),
        ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello!", "Hello!"),
        ("<|begin_of_thought|>hm<|end_of_thought|>\n\nHello!", "Hello!"),
        (f"{ANALYSIS}hm<|end|>{FINAL}Hello!", "Hello!"),
        (f"{ANALYSIS}hm<|end|>{ANALYSIS}so<|end|>{FINAL}Hello!", "Hello!"),
        ("<|channel|>final<|message|>Hello!", "Hello!"),
        ("<think><think>hm</think>\n</think>\n\nHello!", "Hello!"),
        ("<|im", "<|im"),
        ("</think> is a tag", "</think> is a tag"),
        ("[thin air", "[thin air"),
        ("[1] Hello", "[1] Hello"),
        ("<think>a < b, <think> again</think>Hello!", "Hello!"),
        ("<thin", "<thin"),
        ("<", "<"),
        ("Say <think>x</think>.", "Say <think>x</think>."),
        ("", ""),
    ],
)
def test_thoughts_are_dropped_however_they_are_cut(text: str, expected: str) -> None:
    assert filtered(text)[0] == expected
    assert filtered(*text)[0].lstrip() == expected


@pytest.mark.parametrize("name", ["<think>", "[THINK]", "◁think▷", "<Seed:Think>"])
def test_tag_may_be_cut_anywhere(name: str) -> None:
    text = f" {name}The user wants{name[0]}/{name[1:]}\n\nHello <think> you"

    for size in range(1, len(text)):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]

        assert filtered(*pieces)[0].strip() == "Hello <think> you"


@given(st.text(st.sampled_from("<>[]/thinkoug \nA")), st.lists(st.integers(0, 50), max_size=5))
def test_any_cut_gives_the_same(text: str, places: list[int]) -> None:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    pieces = [text[start:end] for start, end in itertools.pairwise(ends)]

    (whole, is_open), (cut, is_cut_open) = filtered(text), filtered(*pieces)

    assert (cut.strip(), is_cut_open) == (whole.strip(), is_open)


def test_long_thought_is_not_kept() -> None:
    head = HeadFilter()
    head.take("<think>")

    for _ in range(1000):
        assert head.take("hm " * 100) == ""
    assert len(head._held) < 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello!", "Hello!"),
        ("a < b", "a < b"),
        ("<think>hm</think>\n\nHello!", "Hello!"),
        ("<think>a</think>\n<think>b</think>Hello!", "Hello!"),
        (f"{ANALYSIS}hm<|end|>{FINAL}Hello!", "Hello!"),
        ("<think><think>hm</think>\n</think>\n\nHello!", "Hello!"),
        ("<think>never closed", ""),
        ("The user greets.\n</think>\n\nHello!", "Hello!"),
        ("The user greets.</think>Hello!", "Hello!"),
        ("hm</thinking> Hello!", "Hello!"),
        ("[THINK]hm[/THINK]\n\nHello!", "Hello!"),
        ("hm[/THINK]Hello!", "Hello!"),
        ("◁think▷hm◁/think▷Hello!", "Hello!"),
        ("[1] is a [link]", "[1] is a [link]"),
        ("<think>a</think>b</think>Hello!", "Hello!"),
        ("Use the <think> tag: <think>x</think>.", "Use the <think> tag: <think>x</think>."),
        ("Close it with `</think>`, please.", "Close it with `</think>`, please."),
        ('Close it with "</think>".', 'Close it with "</think>".'),
        ("```\nhm\n</think>\n```", "```\nhm\n</think>\n```"),
    ],
)
def test_whole_answer_loses_its_thoughts(text: str, expected: str) -> None:
    assert cut_thinking(text) == expected


@pytest.mark.parametrize("unit", ["<think></think>", "<think> </think>\n", "<|start_response|>"])
def test_no_number_of_thoughts_takes_long(unit: str) -> None:
    text = unit * (2_000_000 // len(unit))
    begun_at = time.process_time()

    assert HeadFilter().take(text)
    assert cut_thinking(text[:200_000]) is not None
    assert time.process_time() - begun_at < 0.25
