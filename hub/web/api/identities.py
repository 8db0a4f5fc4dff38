"""API: the people of a chain."""
from __future__ import annotations

ROUTES = ()
