"""What the simulated chain is built of: the product's own parts. A part may be handed in broken, to see that it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appliance.database import Store, open_store
from hub import ingest
from hub.database import Database
from tests.simulation.stepping import SteppingDatabase

Exchange = Callable[[ingest.Deps, bytes, datetime], bytes]


@dataclass(frozen=True, slots=True)
class Parts:
    """`after_erasure`: runs behind each erasure at the hub, in a transaction of its own."""

    open_store: Callable[..., Store] = open_store
    database: type[SteppingDatabase] = SteppingDatabase
    exchange: Exchange = ingest.exchange
    after_erasure: Callable[[Database, str], None] = lambda _database, _tenant_id: None
