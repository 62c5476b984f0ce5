"""Messages between machines that share one Redis: its publish and subscribe."""

import logging
from collections.abc import Callable
from contextlib import suppress

import gevent

from app.bus.protocol import BusMessage, from_bytes, to_bytes
from app.bus.redis_connection import RedisAway, RedisLink

log = logging.getLogger(__name__)

_CHANNEL = "perch/stops"
_PUBLISH = "return redis.call('PUBLISH', ARGV[1], ARGV[2])"
# A Redis that is silent for so long is asked whether it is there.
_HEALTH_CHECK_S = 10
_TIMEOUT_S = 5.0
_RETRY_S = 1.0


class MachineBus:
    """A ``Bus`` over the Redis at ``url``; connects at the first use."""

    def __init__(self, url: str, link: RedisLink) -> None:
        self._url = url
        self._publish = link.script(_PUBLISH)

    def send(self, message: BusMessage) -> None:
        """Tell every process that shares the Redis."""
        with suppress(RedisAway):
            self._publish([], [_CHANNEL, to_bytes(message).decode()])

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        """Hand over what is published from now on, whenever Redis is there."""
        gevent.spawn(self._follow, receive)

    def _follow(self, receive: Callable[[BusMessage], object]) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                self._subscribe(receive)
            except (RedisError, OSError) as error:
                log.info("Messages of other machines do not arrive: %s", type(error).__name__)
                gevent.sleep(_RETRY_S)

    def _subscribe(self, receive: Callable[[BusMessage], object]) -> None:
        from redis import Redis

        redis = Redis.from_url(
            self._url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            health_check_interval=_HEALTH_CHECK_S,
        )
        with redis, redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(_CHANNEL)
            while True:
                told = channel.get_message(timeout=_TIMEOUT_S)
                with suppress(ValueError):
                    if told is not None:
                        receive(from_bytes(told["data"]))
