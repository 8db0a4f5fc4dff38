"""What keeps the store from reading or writing: disk, database, backups, seals, certificate. It is raised in English, for logs and the
terminal as well; `retold` finds each sentence again here."""

from __future__ import annotations

from ui.words import gettext as _

SENTENCES = (
    _("%(place)s is a file, not a folder. Name another folder, or move the file away."),
    _("The disk is full: %(path)s cannot be written. Free some space; what was stored before is safe."),
    _("%(path)s cannot be written: %(why)s. Check who owns the folder and whether the disk is read-only."),
    _("%(path)s cannot be used: %(why)s."),
    _("The disk with %(folder)s is full: nothing new can be stored. Free some space; what was stored before is safe."),
    _("The database in %(folder)s cannot be opened or written. Check who owns the folder and whether the disk is read-only."),
    _("The disk with %(folder)s fails to read or write (%(why)s). Check the disk."),
    _("The database in %(folder)s is kept busy by another program. Try again."),
    _("The database in %(folder)s is broken (%(why)s). Start Regulars again: it restores the newest good backup."),
    _("The database in %(folder)s was busy for %(seconds)s s. Try again."),
    _("The database cannot be read."),
    _("%(path)s was opened for reading only."),
    _("The write-ahead log of %(folder)s is being read and could not be emptied. It is tried again."),
    _("%(path)s is the database of another program. Move it away, or name another data folder."),
    _("%(path)s was written by a newer version of Regulars. Install that version again."),
    _("Something of a person who was forgotten is still in the database's file. It is looked for again."),
    _("%(path)s is damaged: %(why)s."),
    _("The copy of the database is not sound (%(why)s), so it was not kept. Earlier backups are still there."),
    _("The database cannot be copied: %(why)s."),
    _("The backups in %(folder)s cannot be read: %(why)s."),
    _("The backup %(name)s opens but is not sound: %(why)s."),
    _("The backup cannot be used: %(why)s"),
    _("%(path)s is still there; it must be set aside before a backup is restored."),
    _("There is no backup %(name)s in %(folder)s. The newest is %(newest)s."),
    _("There is no backup %(name)s in %(folder)s. There is none yet; make one with `regulars backup now`."),
    _("The backup was given up because Regulars stops; it is made at the next start."),
    _("A backup was not written anew because Regulars stops; it is done at the next start."),
    _("Regulars already runs on %(folder)s. Stop it first, or give this one another data folder."),
    _("%(name)s is no sealed backup of Regulars."),
    _("%(name)s does not open: it is cut short, was changed, or was sealed under another key."),
    _("%(place)s is cut short: %(n)s bytes."),
    _("%(place)s was sealed by another version of Regulars (format %(n)s)."),
    _("%(place)s does not open: it was changed, moved from another row, or sealed under another key."),
    _("A snapshot of %(n)s bytes is no JPEG of up to %(most)s bytes."),
    _("That is no name of a snapshot."),
    _("The snapshot %(name)s is gone: its time was over, or it was deleted."),
    _("The snapshot %(name)s cannot be read: %(why)s."),
    _("There is no file %(path)s: see web.certificate_file and web.key_file in the settings."),
    _("%(chain)s and %(key)s are no certificate and key in PEM that can be read without a password: %(why)s."),
    _("%(key)s is not the key of the certificate %(chain)s."),
    _("The certificate %(file)s cannot be used: %(why)s."),
    _(
        "Port %(port)s of %(host)s is taken, perhaps by a Regulars that runs already. Stop that program or choose another port: `port` in "
        "[web] of the settings, or %(setting)s."
    ),
    _("Port %(port)s of %(host)s may not be opened by this user. Choose a port of 1024 or more."),
    _("%(host)s is no address of this machine. Use 127.0.0.1."),
    _("The page cannot be opened at %(host)s, port %(port)s: %(why)s."),
    _("The known faces in memory were not those of the database: %(wrong)s missing or other, %(extra)s too many. That was put right."),
    _("Permission denied"),
    _("Operation not permitted"),
    _("Read-only file system"),
    _("No space left on device"),
    _("Disk quota exceeded"),
    _("Input/output error"),
    _("No such file or directory"),
    _("Not a directory"),
    _("Is a directory"),
)
"""The last ones are the system's own words for what a disk does not do."""
