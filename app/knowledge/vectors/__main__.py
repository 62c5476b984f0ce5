"""The sidecar as a worker starts it: its configuration comes on standard input, as JSON.

Nothing of the server is loaded here, which would cost more memory than the model.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.sidecar import run_sidecar

_MAX_DESCRIPTORS = 65_536


class _JsonLines(logging.Formatter):
    """The server's shape of a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; of an error, what it is and where, as the server does."""
        line = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def main() -> int:
    """Run until the sidecar ends."""
    # gunicorn lets its children inherit its listeners: they would stay open after it.
    os.closerange(3, _MAX_DESCRIPTORS)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    try:
        return run_sidecar(SidecarConfiguration.from_json(sys.stdin.read()))
    except Exception as error:  # the end of the process: its last line
        logging.getLogger(__name__).exception("The sidecar failed: %s", type(error).__name__)
        return 1


if __name__ == "__main__":
    sys.exit(main())
