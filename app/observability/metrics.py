"""What this service counts about itself, for Prometheus.

A turn costs a few microseconds of it, a token nothing. Figures that a part
of the service knows anyway are read from it once a second.
"""

from collections.abc import Callable

import gevent
from flask import Flask, Response

from app.domain.conversation import Answer
from app.domain.events import TurnEnded
from app.observability.metric_text import GAUGES, HISTOGRAMS, to_text
from app.observability.metric_values import Key, SharedValues, Values
from app.web.current_request import Request, current_request

_POST_EVERY_S = 1.0
# Anybody may send any method and any path.
_METHODS = frozenset(("GET", "HEAD", "POST", "DELETE", "OPTIONS"))

_FIRST_TOKEN: Key = ("perch_first_token_seconds",)
_TURN: Key = ("perch_turn_seconds",)
_DELTAS: Key = ("perch_deltas",)
_PROMPT: Key = ("perch_tokens", "prompt")
_COMPLETION: Key = ("perch_tokens", "completion")
# Part of the completion's.
_REASONING: Key = ("perch_tokens", "reasoning")
_FIRST_TOKEN_S = HISTOGRAMS[_FIRST_TOKEN[0]][2]
_FIND: Key = ("perch_find_seconds",)
_FIND_S = HISTOGRAMS[_FIND[0]][2]
_TURN_S = HISTOGRAMS[_TURN[0]][2]
_CALL_S = HISTOGRAMS["perch_storage_seconds"][2]


class Metrics:
    """One application's figures: of this worker alone until it takes a slot of the shared ones."""

    def __init__(self) -> None:
        self._values = Values()
        self._readings: dict[str, Callable[[], float]] = {}
        self._seen: dict[str, float] = {}
        self._shared: SharedValues | None = None
        self._slot = 0

    def count_response(self, request: Request, response: Response) -> None:
        """Count a request by what it asked and how it was answered."""
        rule = request.url_rule
        method = request.method if request.method in _METHODS else "other"
        self._values.add(
            ("perch_requests", method, rule.rule if rule else "none", str(response.status_code))
        )
        if request.error_code:
            self._values.add(("perch_errors", request.error_code))

    def count_turn(self, ended: TurnEnded) -> None:
        """Count a turn that has ended."""
        values, answer = self._values, ended.answer
        if ended.is_repeat:
            values.add(("perch_turns", "repeated", ended.protocol))
            return
        values.add(("perch_turns", ended.outcome, ended.protocol))
        values.add(_DELTAS, ended.token_count)
        if ended.grounds is not None:
            values.observe(_FIND, _FIND_S, ended.grounds.found.duration_ms / 1000)
        if answer is None:
            return
        if ended.grounds is not None and answer.status == "complete":
            values.add(("perch_grounded_answers", _grounded(answer)))
        if answer.first_token_ms is not None:
            values.observe(_FIRST_TOKEN, _FIRST_TOKEN_S, answer.first_token_ms / 1000)
        if answer.latency_ms is not None:
            values.observe(_TURN, _TURN_S, answer.latency_ms / 1000)
        if answer.usage is not None:
            values.add(_PROMPT, answer.usage.prompt_tokens)
            values.add(_COMPLETION, answer.usage.completion_tokens)
            if answer.usage.reasoning_tokens:
                values.add(_REASONING, answer.usage.reasoning_tokens)

    def time_call(self, call: str, seconds: float, *, failed: bool) -> None:
        """Note how long a call of the store took."""
        key = ("perch_storage_seconds", call, "failed" if failed else "ok")
        self._values.observe(key, _CALL_S, seconds)

    def read(self, name: str, read: Callable[[], float]) -> None:
        """Take a gauge from ``read``, or a counter that began with this process."""
        self._readings[name] = read

    def take_slot(self, shared: SharedValues, slot: int) -> None:
        """Go on counting in a worker's slot, and write it there from now on."""
        self._shared, self._slot = shared, slot
        self._values.merge(shared.counts(slot))
        gevent.spawn(self._post_forever)

    def post(self) -> None:
        """Show this worker's figures to the others."""
        self._take_readings()
        if self._shared is not None:
            self._shared.write(self._slot, self._values)

    def gauge(self, name: str) -> float:
        """Return what a gauge tells of all workers: the sum, or the most."""
        self.post()
        key = (name,)
        mine = [self._values.gauges[key]] if key in self._values.gauges else []
        told = mine if self._shared is None else self._shared.all_gauges().get(key, [])
        return sum(told) if GAUGES[name][1] == "sum" else max(told, default=0.0)

    def render(self) -> bytes:
        """Return all workers' figures in Prometheus's text format."""
        self.post()
        counts, gauges = self._values, {key: [now] for key, now in self._values.gauges.items()}
        if self._shared is not None:
            counts, gauges = self._shared.all_counts(), self._shared.all_gauges()
        return to_text(counts, gauges)

    def _take_readings(self) -> None:
        for name, read in self._readings.items():
            if name in GAUGES:
                self._values.gauges[(name,)] = float(read())
            else:
                seen = self._seen.get(name, 0)
                self._seen[name] = now = read()
                self._values.add((name,), now - seen)

    def _post_forever(self) -> None:
        while True:
            self.post()
            gevent.sleep(_POST_EVERY_S)


def _grounded(answer: Answer) -> str:
    if answer.sources:
        return "cited"
    return answer.gap or answer.answered_by or "small_talk"


def register(app: Flask, metrics: Metrics) -> None:
    """Count every request of an application."""

    @app.after_request
    def count(response: Response) -> Response:
        request = current_request()
        if not request.is_put_aside:
            metrics.count_response(request, response)
        return response
