"""What can go wrong at headquarters, as one small tree. A message names the thing, its value and what to do; never a person or a secret.

HubError
├── ConfigError           the settings cannot be used; the program does not start
├── DataFolderError       the folder cannot be made, read or written
│   └── DiskFull          no space left; works again when there is space
├── AlreadyRunning        another hub holds this data folder
├── DatabaseError         Postgres
│   ├── DatabaseAway      not there, on its way down, or the line to it broke: nothing is known to be committed, try again later
│   ├── DatabaseBusy      a lock, a deadlock or a time limit: the same transaction may be tried again
│   └── WrongVersion      the tables are of a newer Regulars, or not yet of this one
├── VaultError            keys
│   ├── KeyUnavailable    the master key cannot be had, or is not the one that this database was sealed under
│   └── CannotOpen        something sealed does not open: changed, moved, or sealed under another key
├── NotFound              what was named is not there (or is another tenant's, which is the same to whoever asks)
└── NotAllowed            a value that somebody gave cannot be taken
"""

from __future__ import annotations


class HubError(Exception):
    """Its text is one sentence or two for the person who runs the hub."""


class ConfigError(HubError):
    pass


class DataFolderError(HubError):
    pass


class DiskFull(DataFolderError):
    pass


class AlreadyRunning(HubError):
    pass


class DatabaseError(HubError):
    pass


class DatabaseAway(DatabaseError):
    pass


class DatabaseBusy(DatabaseError):
    pass


class WrongVersion(DatabaseError):
    pass


class VaultError(HubError):
    pass


class KeyUnavailable(VaultError):
    pass


class CannotOpen(VaultError):
    pass


class NotFound(HubError):
    pass


class NotAllowed(HubError):
    pass
