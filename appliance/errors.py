"""What can go wrong in a store, as one small tree. A message names the thing, its value and what to do; never a person or a secret.

    RegularsError
    ├── ConfigError           the settings cannot be used; the program does not start
    ├── StoreError            the data folder, or what lies in it
    │   ├── DataFolderError   the folder cannot be made, read or written
    │   │   └── DiskFull      no space left; nothing half-written, works again when there is space
    │   ├── AlreadyRunning    another process holds this data folder
    │   ├── DatabaseError     the database is busy, broken or of a newer version
    │   ├── BackupError       a backup cannot be made, found or opened
    │   └── SnapshotError     a snapshot is gone or cannot be opened
    ├── VaultError            the data key
    │   ├── KeyUnavailable    it cannot be had: keychain locked, file missing or open to others
    │   └── CannotOpen        something sealed does not open: changed, moved, or sealed under another key
    ├── GalleryError          the gallery held anything else than the database; it was put right
    ├── LineError             the line to headquarters: no such address, a wrong code, an answer that is not the hub's
    ├── PersonError           what is asked of a person cannot be done: two who are apart are not merged
    ├── AlertError            a place to send alerts to cannot be used, or could not be reached
    ├── SettingError          what was entered as a setting is not allowed
    ├── CameraError           a camera's name or source cannot be used
    │   └── SameAddress       another camera that is on looks there already
    ├── UploadError           a photo that somebody sent cannot be read
    ├── AccountError          an account's name, password or code does not do
    ├── CertificateError      the certificate of the store's page cannot be made or used
    ├── ScenarioError         a folder named as a scenario is none
    └── DemoError             there is nothing to show
"""

from __future__ import annotations


class RegularsError(Exception):
    """Its text is one sentence or two for the person who runs the store."""


class ConfigError(RegularsError):
    pass


class StoreError(RegularsError):
    pass


class DataFolderError(StoreError):
    pass


class DiskFull(DataFolderError):
    pass


class AlreadyRunning(StoreError):
    pass


class DatabaseError(StoreError):
    pass


class BackupError(StoreError):
    pass


class SnapshotError(StoreError):
    pass


class VaultError(RegularsError):
    pass


class KeyUnavailable(VaultError):
    pass


class CannotOpen(VaultError):
    pass


class GalleryError(RegularsError):
    pass


class ScenarioError(RegularsError):
    """A folder that was named as a scenario is none."""


class CameraError(RegularsError):
    pass


class SameAddress(CameraError):
    """`camera_id`: of the other one."""

    def __init__(self, words: str, camera_id: str, name: str) -> None:
        super().__init__(words)
        self.camera_id, self.name = camera_id, name


class PersonError(RegularsError):
    pass


class UploadError(RegularsError):
    pass


class AccountError(RegularsError):
    pass


class CertificateError(RegularsError):
    pass


class AlertError(RegularsError):
    pass


class SettingError(RegularsError):
    pass


class EyeError(RegularsError):
    """A photo could not be looked at; what it shows is not known."""


class LineError(RegularsError):
    pass


class DemoError(RegularsError):
    pass
