"""What the sign for the door says, in English and Vietnamese: what happens here, for how long it is kept, and whom to ask.

Both languages stand here whole rather than in a catalogue: the sign is for visitors, whatever language the store's page is in.
"""

from __future__ import annotations

from typing import Any

from appliance.privacy import papers
from appliance.privacy.particulars import Particulars
from appliance.privacy.retention_days import Days

ENGLISH = {
    "title": "Faces are recognised here",
    "lead": "A camera at the entrance tells whether a visitor has been here before.",
    "parts": (
        (
            "What happens",
            "The camera measures your face and compares the numbers with those of earlier visitors. It counts visits; it does "
            "not know who you are unless you told us.",
        ),
        (
            "What is kept",
            "A picture of your face for %(pictures)s days. The numbers until you have stayed away for %(templates)s days. When you "
            "came and left. All of it encrypted, on a computer in this store%(chain)s.",
        ),
        (
            "What for",
            "To know how many people come, how often and when, and to greet those who come back. Nothing is sold, and no decision about "
            "you is made by the machine alone.",
        ),
        (
            "You may say no",
            "Tell anybody at the till. From then on nothing of you is stored but that somebody came, and you are served like "
            "everybody else.",
        ),
        (
            "You may ask",
            "to see what is kept about you, to have it put right, to have it erased. It costs nothing and takes a month at most.",
        ),
    ),
    "chain": ", and at our headquarters",
    "ground": "Legal basis",
    "controller": "Who answers for it",
    "contact": "How to reach us",
    "officer": "Data protection officer",
    "authority": "Where to complain",
    "foot": "Set up with Regulars",
}
VIETNAMESE = {
    "title": "Khu vực có nhận diện khuôn mặt",
    "lead": "Camera ở lối vào nhận biết khách đã từng đến đây hay chưa.",
    "parts": (
        (
            "Điều gì diễn ra",
            "Camera đo các đặc điểm khuôn mặt của quý khách và so sánh với những khách đã đến trước đó. Hệ thống đếm số lượt "
            "ghé thăm; hệ thống không biết quý khách là ai, trừ khi quý khách tự cho chúng tôi biết.",
        ),
        (
            "Lưu giữ những gì",
            "Ảnh khuôn mặt trong %(pictures)s ngày. Dữ liệu đo khuôn mặt cho đến khi quý khách không quay lại trong "
            "%(templates)s ngày. Thời điểm đến và rời đi. Tất cả được mã hóa, lưu trên máy tính tại cửa hàng%(chain)s.",
        ),
        (
            "Để làm gì",
            "Để biết có bao nhiêu khách đến, khi nào và thường xuyên ra sao, và để chào đón khách quen. Dữ liệu không được bán, "
            "và máy không tự đưa ra quyết định nào về quý khách.",
        ),
        (
            "Quyền từ chối",
            "Hãy nói với bất kỳ nhân viên nào ở quầy. Từ lúc đó chúng tôi không lưu gì về quý khách ngoài việc có một người đã "
            "đến, và quý khách vẫn được phục vụ như mọi người.",
        ),
        ("Quyền yêu cầu", "Xem dữ liệu đang lưu về mình, yêu cầu chỉnh sửa hoặc xóa. Miễn phí, và được giải quyết trong tối đa một tháng."),
    ),
    "chain": " và tại trụ sở chính của chúng tôi",
    "ground": "Căn cứ pháp lý",
    "controller": "Bên chịu trách nhiệm",
    "contact": "Liên hệ",
    "officer": "Nhân viên bảo vệ dữ liệu",
    "authority": "Nơi khiếu nại",
    "foot": "Thiết lập với Regulars",
}
WORDS: dict[str, dict[str, Any]] = {"en": ENGLISH, "vi": VIETNAMESE}


def pdf(language: str, site_name: str, particulars: Particulars, days: Days, *, chain: bool) -> bytes:
    """`language`: one of `papers.LANGUAGES`; `chain`: whether headquarters is told. KeyError for another language."""
    words = WORDS[language]
    filled = {"pictures": days.snapshot_days, "templates": days.person_days, "chain": words["chain"] if chain else ""}
    said = [(words[name], getattr(particulars, name)) for name in ("controller", "contact", "officer", "ground", "authority")]
    if not particulars.controller and site_name:
        said[0] = (words["controller"], site_name)
    return papers.pdf(
        papers.SIGN,
        {
            "lang": language,
            "title": words["title"],
            "lead": words["lead"],
            "parts": [{"head": head, "words": text % filled} for head, text in words["parts"]],
            "who": [{"head": head, "words": text} for head, text in said if text],
            "foot": words["foot"],
        },
    )
