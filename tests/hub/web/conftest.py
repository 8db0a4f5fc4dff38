from __future__ import annotations

import pytest

from tests.hub.chain import Chain
from tests.hub.web.office import Office, open_office


@pytest.fixture
def office(chain: Chain) -> Office:
    return open_office(chain)
