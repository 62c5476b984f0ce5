"""The shortcut past ``app.completion.openai.events``, which is its plain twin.

Most reads bring one event, or some, that repeat an earlier one but for their
text: that is cut out, and nothing is parsed. It adds nothing but speed, and a test
puts both through the same bytes. See ``docs/adr/0011-events-that-repeat.md``.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from app.completion.causes import Redaction
from app.completion.openai.events import EventReader

_END = b"\n\n"
_CONTENT = b'"content"'
_PADDING = b'"obfuscation":"'
# What is passed over where a stream begins, and only there.
_SKIPPED = (b" ", b"\t", b"\r", b"\n", b"\xef")
# Where a JSON string is its own text: no quote, no escape, no control character.
_is_plain = re.compile(rb'[^"\\\x00-\x1f]+').fullmatch


class ShortcutReader(EventReader):
    """An ``EventReader`` that reads what it knows already in one step."""

    __slots__ = ("_after", "_before", "_padding")

    def __init__(self, hide: Redaction | None = None, media_type: str = "") -> None:
        super().__init__(hide, media_type)
        # An event that was read: what stands before its text, and after it.
        self._before = b""
        self._after = b""
        # Between the two, behind the text, where the provider pads its events.
        self._padding = b""

    def take(self, received: bytes) -> bool:
        """Give ``receive`` the deltas that these bytes complete; answers whether more may come."""
        before, after = self._before, self._after
        if before and received.startswith(before) and received.endswith(after):
            text = received[len(before) : -len(after)]
            if self._padding:
                text, _, padding = text.partition(self._padding)
                if not padding.isalnum():
                    text = b""
            if _is_plain(text):
                try:
                    delta = text.decode()
                except UnicodeDecodeError:
                    pass  # the parser tells what is wrong
                else:
                    return self.receive([delta])
            elif deltas := self._cut_apart(received):
                return self.receive(deltas)
        was_between = self.is_between_events and (self._is_opened or received[:1] not in _SKIPPED)
        was_finished = self.finish_reason is not None
        deltas = self.feed(received)
        if not self.is_between_events or self._head is not None:
            self._before = b""
        elif was_between and deltas:
            self._remember(received, deltas)
        return self._hand_on(deltas, was_finished)

    def _cut_apart(self, received: bytes) -> list[str]:
        """Return the deltas of several events in one read; none where one of them is another."""
        after = self._after
        texts = received[len(self._before) : -len(after)].split(after + self._before)
        if self._padding:
            pairs = [text.partition(self._padding) for text in texts]
            texts = [text if padding.isalnum() else b"" for text, _, padding in pairs]
        try:
            return [text.decode() for text in texts] if all(map(_is_plain, texts)) else []
        except UnicodeDecodeError:
            return []

    def _remember(self, event: bytes, deltas: Sequence[str]) -> None:
        """Note what the last event says beside its text, if that can be told from the bytes.

        It can where there is one ``content`` and no escape: then whatever has the
        same bytes around another plain text means the same with that text.
        """
        if len(deltas) > 1:  # of several events the last, if each had a text
            is_each = event.endswith(_END) and event.count(_END) == len(deltas)
            event = event[event.rfind(_END, 0, -len(_END)) + len(_END) :] * is_each
        text = deltas[-1].encode()
        self._before = b""
        colon, _, rest = event.partition(_CONTENT)[2].partition(b'"')
        if colon.strip() != b":" or not rest.startswith(text + b'"'):
            return
        if _CONTENT in rest or b"\\" in event:
            return
        self._before = event[: -len(rest)]
        after, padding = rest[len(text) :], b""
        head, mark, tail = after.partition(_PADDING)
        if mark:
            after, padding = tail[tail.index(b'"') :], head + mark
        self._after, self._padding = _shared(after), _shared(padding)


@lru_cache(64)
def _shared(data: bytes) -> bytes:
    """Return one copy of what stands in the events of all streams: it stays in the caches."""
    return data
