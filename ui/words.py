"""The one door for words that people read. English is the source; a catalogue can be put behind these two functions."""

from __future__ import annotations

from gettext import NullTranslations

_catalogue = NullTranslations()
gettext = _catalogue.gettext
ngettext = _catalogue.ngettext
