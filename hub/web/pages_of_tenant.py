"""The pages of one tenant, as the app's route table takes them."""

from __future__ import annotations

from hub.web import appliance_page, token_page
from hub.web.forgotten import forgotten_page
from hub.web.overview import overview_page
from hub.web.regulars import people_page

ROUTES = (overview_page, people_page, forgotten_page, *appliance_page.ROUTES, *token_page.ROUTES)
