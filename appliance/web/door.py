"""How people get in: whose session a request brings, and what the door must know of this start of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from appliance.certificates import Certificate
from appliance.database import Store
from appliance.users import UserStorage
from appliance.web.access import Asker, Connection, Identify, Role
from appliance.web.halfway import Halfway
from ui import sessions, sign_in
from ui.attempts import Attempts
from ui.guard import Place
from ui.passwords import USUAL, Cost

PROGRAM = "regulars"
"""The session's cookie."""


@dataclass(slots=True)
class Door:
    """`first_code`: what the first owner must know, as the terminal shows it; empty: nobody can become it. `everybody`: whoever asks is
    let in as this; for a page that only this computer sees and whose data are thrown away, as the demo's. `certificate`: with which the
    page is open to the network, as it is now (`doorway.renew`); None: it is not."""

    first_code: str = ""
    everybody: Asker | None = None
    place: Place = field(default_factory=Place)
    attempts: Attempts = field(default_factory=Attempts)
    certificate: Certificate | None = None
    addresses: tuple[str, ...] = ()
    """By which other devices reach the page, the likeliest first."""
    halfway: Halfway = field(default_factory=Halfway)
    cost: Cost = USUAL
    """At which passwords are kept."""


def identify(door: Door, store: Store, now: Callable[[], int]) -> Identify:
    """By the browser's session. A session that is used is noted once a minute."""
    storage = UserStorage(store)

    def who(connection: Connection) -> Asker | None:
        token = token_of(door, connection)
        account = sign_in.recognised(storage, token, now()) if token else None
        if account is None or token is None:
            return door.everybody
        return Asker(account.id, account.name, cast("Role", account.role), sessions.token_hash(token))

    return who


def token_of(door: Door, connection: Connection) -> str | None:
    return sessions.token_in(connection.headers.get("cookie", ""), sessions.cookie_name(PROGRAM, door.place.secure))
