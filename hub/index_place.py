"""The index that the settings name, with the tenants' secret rotations."""

from __future__ import annotations

from hub.config import Config
from hub.database import Database
from hub.milvus import Milvus
from hub.milvus_lite import open_lite, open_server
from hub.rotation import Rotations

FOLDER = "index"
"""In the data folder."""
ROTATION = "index rotation"
"""Use of the tenant's key. Never changed: the index would have to be filled anew."""


def open_index(config: Config, database: Database) -> Milvus:
    """Raises IndexAway, DataFolderError, ConfigError."""

    def key_of(tenant_id: str) -> bytes:
        with database.anyone() as tx:
            return database.vault(tx, tenant_id).subkey(ROTATION)

    rotations = Rotations(key_of)
    if config.index.url:
        return open_server(config.index.url, config.index.token, rotations)
    return open_lite(config.data.folder / FOLDER, rotations)
