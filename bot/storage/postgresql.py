"""What is particular to PostgreSQL."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def make_engine(url: str) -> AsyncEngine:
    """Return an engine that notices connections which died while idle.

    synchronous_commit stays as the server has it (on): a commit is durable before it returns.
    """
    return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
