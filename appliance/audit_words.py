"""What stands in the audit log, in words: for the page, for a person's page, and for whoever asks what is kept of them."""

from __future__ import annotations

from appliance import audit
from ui.words import gettext as _

WHATS = {
    "see": _("looked at"),
    "edit": _("changed details"),
    "name": _("named"),
    "merge": _("merged"),
    "undo_merge": _("undid a merge"),
    "split": _("took a visit away"),
    "told_apart": _("called two different"),
    "opt_out": _("opted out"),
    "erase": _("erased"),
    "export": _("saved what is stored"),
    "enrol": _("added as staff"),
    "employ": _("made staff"),
    "dismiss": _("no longer staff"),
    "add_photos": _("added photos"),
    "search_by_photo": _("searched by photo"),
    "refuse": _("refused a request"),
    "camera_add": _("added a camera"),
    "camera_change": _("changed a camera"),
    "camera_remove": _("removed a camera"),
    "alert_rule": _("changed when alerts are sent"),
    "alert_target_added": _("added a place for alerts"),
    "alert_target_removed": _("removed a place for alerts"),
    "alert_yes": _("confirmed an alert"),
    "alert_no": _("said an alert is wrong"),
    "alert_seen": _("saw an alert"),
    "setting": _("changed a setting"),
    "backup": _("made a backup"),
    "restore": _("restored a backup"),
    "retention": _("changed how long things are kept"),
    "particulars": _("changed the store's particulars"),
    "review_same": _("review: the same person"),
    "review_different": _("review: different people"),
    "review_ignored": _("review: left open"),
    "review_undo": _("review: took an answer back"),
    "sign_in": _("signed in"),
    audit.SIGN_IN_FAILED: _("did not get in: wrong password or code"),
    "password": _("changed the password"),
    "password_reset": _("gave a new password"),
    "codes_on": _("turned one-time codes on"),
    "codes_off": _("turned one-time codes off"),
    "user_added": _("added a user"),
    "user_changed": _("changed a user's role"),
    "user_removed": _("removed a user"),
}
"""What other modules note under a word of their own is shown as it is."""
NOBODYS = {audit.THIS_COMPUTER: _("this computer"), audit.SOMEBODY: _("somebody")}
"""Who did it where nobody was signed in."""


def what_words(what: str) -> str:
    return _(WHATS[what]) if what in WHATS else what.replace("_", " ")


def who_words(who: str) -> str:
    return _(NOBODYS[who]) if who in NOBODYS else who
