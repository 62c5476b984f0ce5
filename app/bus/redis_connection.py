"""One Redis that all workers share, and how long anybody waits for it.

Whoever uses it goes on in memory while it is away. The request that notices
waits for one timeout, for the next seconds nobody asks, and then one request
asks again: what freezes, stops, starts late or restarts costs next to nothing.

The client is imported where a Redis is used: its 8 MB and a sixth of a start are for those only.
"""

import logging
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import gevent

log = logging.getLogger(__name__)

# One for every stream of a full worker, and some.
_MAX_CONNECTIONS = 4096

Argument = str | int | float


class RedisAway(Exception):
    """Redis did not answer in time, or not as it should."""


def why_redis_is_away(error: BaseException) -> str:
    """Say what is wrong, in words that lead to the setting."""
    from redis.exceptions import AskError, ClusterDownError, MovedError

    if isinstance(error, MovedError | AskError | ClusterDownError):
        return "is a Redis Cluster, which is not supported: its nodes each keep a part"
    return f"does not answer ({type(error).__name__})"


class RedisLink:
    """Runs scripts on the Redis at ``url``; connects at the first one.

    Safe for any number of greenlets, and to be made before a fork. All
    workers that share counts need the same ``name_key``.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 0.25,
        retry_s: float = 2.0,
        name_key: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from redis import ConnectionPool, Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._failures = (RedisError, OSError, gevent.Timeout)
        self._pool = ConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),  # the library's default: three more tries
            protocol=2,  # with the next, no greeting to wait for
            driver_info=None,
            decode_responses=True,
        )
        self._redis = Redis(connection_pool=self._pool)
        self._timeout_s = timeout_s
        self._retry_s = retry_s
        self._name_key = name_key
        self._clock = clock
        self._retry_at: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether the last script failed."""
        return self._retry_at is not None

    def hide(self, name: str) -> str:
        """Return what Redis knows a client or a session by: never its address or id."""
        text = name.encode("utf-8", "surrogatepass")
        return blake2b(text, key=self._name_key, digest_size=16).hexdigest()

    def script(self, text: str) -> Callable[[Sequence[str], Sequence[Argument]], Any]:
        """Return what runs a Lua script with keys and arguments.

        It raises ``RedisAway``, within the timeout.
        """
        run = self._redis.register_script(text)

        def ask(keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
            self._refuse_while_away()
            timer = gevent.Timeout(self._timeout_s)  # for all steps; each has the same
            try:
                with timer:
                    answer = run(keys=keys, args=arguments)
            except self._failures as error:
                if isinstance(error, gevent.Timeout) and error is not timer:
                    raise  # a caller's own deadline
                self._lose(error)
                raise RedisAway from error
            self._find()
            return answer

        return ask

    def close(self) -> None:
        """Close idle connections."""
        self._pool.disconnect(inuse_connections=False)

    def _refuse_while_away(self) -> None:
        if self._retry_at is None:
            return
        now = self._clock()
        if now < self._retry_at:
            raise RedisAway
        # This request asks for all that come meanwhile.
        self._retry_at = now + self._retry_s

    def _lose(self, error: BaseException) -> None:
        if self._retry_at is None:
            log.warning(
                "Redis %s: limits and budgets are kept in this worker's memory",
                why_redis_is_away(error),
            )
        self._retry_at = self._clock() + self._retry_s
        self.close()  # a Redis that restarted would find them dead, one by one

    def _find(self) -> None:
        if self._retry_at is not None:
            self._retry_at = None
            log.info("Redis answers again")
