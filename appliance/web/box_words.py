"""What stands over a face in a camera's picture (`words.box_label`): written once in English for all who look, and found
again by `retold`."""

from __future__ import annotations

from ui.words import gettext as _

SENTENCES = (
    _("Welcome back, %(name)s – %(nth)s visit"),
    _("Welcome back, %(name)s"),
    _("Welcome, %(name)s"),
    _("Welcome back, %(name)s – also comes to %(stores)s and %(n)s more"),
    _("Welcome back, %(name)s – also comes to %(stores)s"),
    _("Welcome, %(name)s – also comes to %(stores)s and %(n)s more"),
    _("Welcome, %(name)s – also comes to %(stores)s"),
    _("Welcome back"),
    _("New visitor"),
    _("Staff"),
    _("Not sure"),
    _("Counted"),
    _("A picture, not counted"),
    _("Looking…"),
    _("Visitor %(number)s"),
    _("%(n)sst"),
    _("%(n)snd"),
    _("%(n)srd"),
    _("%(n)sth"),
)
"""The last are the endings of a number in a row: 1st, 2nd, 3rd, 4th."""
