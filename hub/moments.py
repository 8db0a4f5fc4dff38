"""Times at headquarters: aware, in UTC; milliseconds only on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """For the edges alone: what they call gets the time as a parameter."""
    return datetime.now(UTC)


def from_ms(at_ms: int) -> datetime:
    """Raises OverflowError for a time that no calendar has."""
    return EPOCH + timedelta(milliseconds=at_ms)


def to_ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)
