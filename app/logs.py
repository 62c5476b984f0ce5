"""Logging: one JSON object a line, on standard output."""

import logging
import sys
from contextlib import suppress
from typing import Any

import structlog
from gunicorn.glogging import Logger

_SHARED: list[Any] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure() -> None:
    """Send our logs, and those of the libraries, to standard output as JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_Lossy()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
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


class _Lossy:
    """Standard output, where a line that cannot be written is lost and not a request."""

    def write(self, text: str) -> None:
        with suppress(OSError):  # a full disk, a pipe whose reader is gone
            sys.stdout.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stdout.flush()


class GunicornLogger(Logger):
    """Gunicorn's own lines, in our shape from the first one on."""

    def setup(self, cfg: Any) -> None:
        """Hand gunicorn's loggers over to ours."""
        super().setup(cfg)
        configure()
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True
