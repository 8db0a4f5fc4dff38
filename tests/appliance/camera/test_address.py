import pytest

from appliance.camera.address import BadAddress, masked, parsed, shown


def test_credentials_are_taken_out_of_an_address() -> None:
    address = parsed("rtsp://admin:secret@10.0.0.5:8554/stream1?channel=2")
    assert (address.user, address.password, address.place) == ("admin", "secret", "10.0.0.5:8554")
    assert address.without_credentials() == "rtsp://10.0.0.5:8554/stream1?channel=2"


@pytest.mark.parametrize("password", ["p@ss", "p:ss", "p/ss", "p%40ss"])
def test_a_password_is_taken_as_it_was_pasted(password: str) -> None:
    address = parsed(f"rtsp://admin:{password}@camera.local/live")
    assert (address.user, address.host, address.path) == ("admin", "camera.local", "/live")
    assert address.password == password.replace("%40", "@")
    assert parsed(address.for_the_decoder()) == address


@pytest.mark.parametrize(
    ("source", "host", "port", "path"),
    [
        ("rtsp://10.0.0.5", "10.0.0.5", 554, ""),
        ("RTSP://10.0.0.5/cam@1", "10.0.0.5", 554, "/cam@1"),
        ("rtsps://[fe80::1]:7441/x", "fe80::1", 7441, "/x"),
        ("rtsps://camera/x", "camera", 322, "/x"),
    ],
)
def test_addresses_without_credentials(source: str, host: str, port: int, path: str) -> None:
    address = parsed(source)
    assert (address.user, address.host, address.port, address.path) == ("", host, port, path)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "http://10.0.0.5/x",
        "rtsp://",
        "rtsp://:554/x",
        "rtsp://host:99999/x",
        "rtsp://u:s3cret@ho st:x/1",
        "rtsp://u:a@s3cret/b@host/x",
        "10.0.0.5",
    ],
)
def test_what_is_no_address_is_refused_without_saying_the_password(source: str) -> None:
    with pytest.raises(BadAddress) as raised:
        parsed(source)
    assert "address" in str(raised.value) and "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("rtsp://host/stream", "rtsp://host:554/stream"),
        ("rtsp://u:s3cret@host:8554/a", "rtsp://…@host:8554/a"),
        ("rtsp://u:s3c@ret@host/a", "rtsp://…@host:554/a"),
        ("rtsp://u:s3/cret@host/a", "rtsp://…@host:554/a"),
        ("rtsp://host/cgi?user=a&word=s3cret", "rtsp://host:554/cgi?…"),
        ("rtsp://host/user=a&password=s3cret&channel=1", "rtsp://host:554/user=…&password=…&channel=1"),
        ("rtsp://u:s3cret@[fe80::1]:554/a", "rtsp://…@[fe80::1]:554/a"),
        ("rtsp://u:s3cret@[fe80", "… (not an RTSP address)"),
    ],
)
def test_an_address_is_shown_without_what_opens_the_camera(source: str, said: str) -> None:
    assert shown("rtsp", source) == said


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:s3cret@10.0.0.5:554/x",
        "rtsp://admin:s3cret@/10.0.0.5",
        "rtsp://admin:a/s3cret@10.0.0.5/x",
        "rtsp://10.0.0.5/user=admin&password=s3cret&channel=1",
        "rtsp://10.0.0.5/x?user=admin&pwd=s3cret",
        "rtsp://admin:a@s3cret/b@host/x",
        "rtsp//admin:s3cret@host",
    ],
)
def test_what_is_shown_of_a_source_holds_no_credential(source: str) -> None:
    assert "s3cret" not in shown("rtsp", source) and "admin" not in shown("rtsp", source)
    assert "s3cret" not in masked(f"cannot open {source} now", "rtsp", source)


def test_a_password_is_masked_in_whatever_form_a_library_repeats_it() -> None:
    source = "rtsp://admin:p@ss word@10.0.0.5/x"
    for text in ("p@ss word", "p%40ss%20word", parsed(source).for_the_decoder(), source):
        assert "word" not in masked(f"error: {text}!", "rtsp", source)


def test_files_and_usb_cameras_are_shown_as_they_are() -> None:
    assert shown("file", "/videos/a.mp4") == "/videos/a.mp4"
    assert shown("usb", "0") == "0"
