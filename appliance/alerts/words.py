"""How an alert is said: on the page with the name, outside the store only where somebody allowed it. A likeness is never said to be a
person before somebody has looked."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.alerts.register import Alert
from appliance.alerts.rules import BURST, CAMERA, NOBODY, VIP, WATCHLIST
from ui.words import gettext as _
from ui.words import ngettext


@dataclass(frozen=True, slots=True)
class Said:
    title: str
    body: str


def on_page(alert: Alert, who: str) -> Said:
    """`who`: the person's or the camera's name; empty for who is not there any more."""
    who = who or _("Somebody who is not here any more")
    if alert.rule == WATCHLIST:
        return Said(*WATCHED_PAGE[alert.state if alert.state in WATCHED_PAGE else "open"](who))
    if alert.rule == VIP:
        return Said(_("%(who)s has come in") % {"who": who}, _("A VIP: somebody to be greeted."))
    if alert.rule == CAMERA:
        if alert.state == "over":
            return Said(_("%(camera)s watches again") % {"camera": who}, _("It had seen nothing for a while."))
        return Said(_("%(camera)s sees nothing") % {"camera": who}, _away(alert.number))
    if alert.rule == NOBODY:
        if alert.state == "over":
            return Said(_("Visitors come again"), _("Nobody had been seen for a while."))
        return Said(_("No visitor for a long time"), _hours(alert.number))
    return Said(
        _("%(who)s was recognised unusually often") % {"who": who},
        ngettext("%(n)s time in 24 hours.", "%(n)s times in 24 hours.", alert.number) % {"n": alert.number}
        + " "
        + _("A bad view may make strangers look like them: look at their pictures, and split off what is not theirs."),
    )


WATCHED_PAGE = {
    "open": lambda who: (
        _("Is this %(who)s?") % {"who": who},
        _("Somebody who came resembles a person on the watchlist. A likeness is no proof: look at the pictures before you act."),
    ),
    "yes": lambda who: (_("%(who)s was here") % {"who": who}, _("Somebody looked and confirmed it.")),
    "no": lambda who: (_("It was not %(who)s") % {"who": who}, _("Somebody looked: it was somebody else.")),
}


def outside(alert: Alert, what: str, site: str, who: str, at: str) -> Said:
    """`what`: raised, confirmed or over. `who`: empty where the place may not be told names. `at`: the store's own time, in words."""
    title, body = {
        ("raised", VIP): (_("A VIP has come in"), _("%(who)s came in %(at)s.") if who else _("A VIP came in %(at)s.")),
        ("raised", WATCHLIST): (
            _("Please look: a possible watchlist match"),
            _(
                "Somebody who came in %(at)s resembles a person on the watchlist. It is not known to be them: "
                "a person must look at the page Alerts first."
            ),
        ),
        ("confirmed", WATCHLIST): (
            _("Watchlist match confirmed by a person"),
            _("The person who came in %(at)s was looked at and confirmed: %(who)s.")
            if who
            else _("The person who came in %(at)s was looked at and confirmed to be on the watchlist."),
        ),
        ("raised", CAMERA): (_("A camera sees nothing"), _("The camera %(who)s: %(away)s It was noticed %(at)s.")),
        ("over", CAMERA): (_("A camera watches again"), _("The camera %(who)s watches again. It had been noticed %(at)s.")),
        ("raised", NOBODY): (_("No visitor for a long time"), _("%(away)s It was noticed %(at)s.")),
        ("over", NOBODY): (_("Visitors come again"), _("Somebody has come in. That nobody came had been noticed %(at)s.")),
        ("raised", BURST): (
            _("One person recognised unusually often"),
            _(
                "A customer was recognised %(number)s times within 24 hours; it was noticed %(at)s. "
                "That is often a bad view: look at the page Alerts."
            ),
        ),
    }[(what, alert.rule)]
    away = _away(alert.number) if alert.rule == CAMERA else _hours(alert.number)
    return Said(f"{site}: {title}", body % {"who": who, "at": at, "away": away, "number": alert.number})


def _away(minutes: int) -> str:
    said = ngettext("It has seen nothing for %(n)s minute.", "It has seen nothing for %(n)s minutes.", minutes)
    return said % {"n": minutes}


def _hours(hours: int) -> str:
    said = ngettext(
        "Nobody has been seen for %(n)s hour, though the store is open.",
        "Nobody has been seen for %(n)s hours, though the store is open.",
        hours,
    )
    return said % {"n": hours}
