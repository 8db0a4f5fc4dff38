from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.chain import Chain
from tests.hub.web.office import Office, open_office


@pytest.fixture
def office(chain: Chain, tmp_path: Path) -> Office:
    return open_office(chain, tmp_path)
