"""Logging: one JSON object a line, on standard output.

Every line of a request or a turn carries what structlog's context variables
hold: the request's ``id``, then the ``conversation`` and the ``turn``.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from gunicorn.glogging import Logger
from structlog.contextvars import merge_contextvars


def configure() -> None:
    """Send our logs, and those of the libraries, to standard output as JSON."""
    structlog.configure(
        processors=[_to_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_name: _Lossy(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # It would name a request to the model at start, which none is.
    logging.getLogger("httpx2").setLevel(logging.WARNING)


def _to_line(_logger: Any, level: str, event: Any) -> str:
    """Do in one step what libraries' records take five for: it runs for each request."""
    merge_contextvars(None, level, event)
    event["level"] = level
    event["timestamp"] = datetime.now(UTC)
    return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z).decode()


class _Lossy:
    """Standard output, where a line that cannot be written is lost and not a request."""

    def msg(self, line: str) -> None:
        """Write a line."""
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except OSError:  # a full disk, a pipe whose reader is gone
            return

    info = warning = error = msg


class GunicornLogger(Logger):
    """Gunicorn's own lines, in our shape from the first one on."""

    def setup(self, cfg: Any) -> None:
        """Hand gunicorn's loggers over to ours."""
        super().setup(cfg)
        configure()
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Warn; of a request that could not be read, say who sent it and what is wrong.

        What gunicorn quotes of it may be a key or what a visitor said.
        """
        text = str(msg)
        if text.startswith("Invalid request from ip="):
            msg = ": ".join(text.split(": ", 2)[:2])
        super().warning(msg, *args, **kwargs)

    def access(self, *_args: Any) -> None:
        """Say nothing of a request: `app.observability.request_log` does."""
