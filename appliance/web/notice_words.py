"""What a notice tells, and what keeps the reception from writing. Whoever leaves one has no reader, so it is kept in English; `retold`
finds each sentence again here."""

from __future__ import annotations

from appliance.alerts import sending
from ui.words import gettext as _

SENTENCES = (
    _("This computer could not note that it is running. %(why)s"),
    _("Old pictures could not be deleted: they are kept longer than they should be. %(why)s"),
    _("Those who stay away could not be forgotten: they are kept longer than they should be. %(why)s"),
    _("The days could not be counted: the reports may lack the last hours. %(why)s"),
    _("The hourly check of the known faces did not go well. %(why)s"),
    _("The room for what headquarters has to be told could not be looked after. %(why)s"),
    _("Those who were forgotten could not be cleared out of the log and the backups yet. %(why)s"),
    _("The nightly backup could not be made. %(why)s"),
    _("The page could not be kept up to date: load it again to see what is new. %(why)s"),
    _("People who are stored twice could not be looked for. %(why)s"),
    _("The page's certificate could not be looked after. %(why)s"),
    _("Whether this computer has another address could not be found out. %(why)s"),
    _("What a command asked could not be done. %(why)s"),
    _("It is tried again by itself. If this is still here tomorrow, give the diagnostics (Settings, Health) to whoever helps you."),
    _("Visits cannot be written just now: %(why)s They are kept and tried again until they are; nothing is lost so far."),
    _(
        "Visits cannot be written just now: %(why)s %(n)s looks are kept and tried again; there is room for no more, and who passes now "
        "may be missing."
    ),
    _("For a while visits could not be written (see the log). They were kept, and all of them are in now."),
    _("For a while visits could not be written (see the log). The first are in now; who came later may be missing."),
    _(
        "Headquarters could not be reached for so long that the oldest records for it had to be dropped. Nothing is lost here, and "
        "headquarters is told everything anew as soon as it can be reached. See `regulars sync status`."
    ),
    _(
        "Headquarters could not be reached for so long that the room for what it has to be told is %(share)s full (%(n)s records). See "
        "`regulars sync status` for what is wrong."
    ),
    _("This computer's clock was set forward by %(length)s. Visits around that time carry the time that it showed."),
    _("This computer's clock was set back by %(length)s. Visits around that time carry the time that it showed."),
    _("%(hours)s h %(minutes)s min"),
    _("%(minutes)s min %(seconds)s s"),
    _("%(seconds)s s"),
    _("The page's certificate ends on %(day)s; browsers refuse the page then. Put a newer one in the place of %(file)s."),
    _("The page's certificate ended on %(day)s, and browsers refuse the page. Put a newer one in the place of %(file)s."),
    _("The backup was not put back, and nothing was changed. %(why)s"),
    _("An alert could not be sent to %(place)s. %(why)s"),
    _("The place was removed."),
    _("Earlier messages still hang. It is tried again later."),
    _("There was no answer within %(n)s seconds."),
    _("It could not be sent (%(kind)s)."),
    _("It sent us on to another address (%(code)s), which is not followed: enter that one."),
    _("It answered with the error %(code)s."),
    _("It did not take the message, and did not say why."),
    *(words for _pattern, words in sending.KNOWN),
    *sending.STATUS.values(),
    _("The database %(was)s. There was no good backup: Regulars started with an empty database, earlier visits are missing."),
    _("The database %(was)s. The backup of %(when)s was restored; visits after that are missing."),
    _("was damaged. It is kept as %(file)s"),
    _("was empty. It is kept as %(file)s"),
    _("was missing"),
)
"""A job's sentence is `Job.words`, followed by why."""
