"""Logs: one line per thing that happened, with an action and ids; JSON unless somebody watches."""

import logging
import sys

import structlog

# They log addresses, and the platform's addresses hold tokens and secrets.
_TALKATIVE = ("httpx", "httpcore", "apscheduler", "procrastinate", "asyncio", "jieba", "sqlalchemy", "alembic")


def configure_logs(level: str = "INFO") -> None:
    """Send our lines, and other libraries' warnings, to standard error."""
    threshold = logging.getLevelNamesMapping()[level]
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR if name == "procrastinate" else logging.WARNING)
    human = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
