"""Downloads against a real web server that truncates, lies, ignores ranges, fails and resumes."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models import pull as pulling
from models.errors import PullError
from models.manifest import Archive, DetectorSpec
from models.weights import Weights

CONTENT = bytes(range(256)) * 2000


@dataclass
class Web:
    """How the server answers. `cut`: bytes of the body that it sends before it hangs up, one for each answer, then all."""

    address: str = ""
    body: bytes = CONTENT
    status: int = 200
    ranges: bool = True
    cut: list[int] = field(default_factory=list)
    lies_about_range: bool = False
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            web.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and web.ranges else 0
            if web.status != 200:
                self.send_error(web.status)
                return
            body = web.body[start:]
            self.send_response(206 if start else 200)
            if start:
                at = 0 if web.lies_about_range else start
                self.send_header("Content-Range", f"bytes {at}-{len(web.body) - 1}/{len(web.body)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: web.cut.pop(0)] if web.cut else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    web.address = f"http://127.0.0.1:{server.server_port}"
    yield web
    server.shutdown()
    server.server_close()
    thread.join(5)


def spec(web: Web, **changes: object) -> DetectorSpec:
    fields: dict[str, object] = {
        "name": "tiny",
        "file": "tiny.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "licence": "MIT",
        "commercial_use": True,
        "origin": "a test",
        "address": f"{web.address}/tiny.onnx",
        "normalisation": "bgr_0_255",
        "decoding": "yunet",
    }
    return DetectorSpec(**{**fields, **changes})  # type: ignore[arg-type]


def pull(folder: Path, *specs: DetectorSpec, mirror: str = "") -> list[Path]:
    with pulling.client() as client:
        return pulling.pull(Weights(folder, mirror=mirror), list(specs), client, lambda name, done, of: None)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"verified.json"}


def test_a_file_is_downloaded_and_verified_and_not_fetched_twice(tmp_path: Path, web: Web) -> None:
    assert pull(tmp_path, spec(web)) == [tmp_path / "tiny.onnx"]
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT
    assert pull(tmp_path, spec(web)) == [tmp_path / "tiny.onnx"]
    assert web.asked == [None]
    assert names(tmp_path) == {"tiny.onnx"}


def test_progress_is_told_to_the_last_byte(tmp_path: Path, web: Web) -> None:
    told: list[tuple[str, int, int]] = []
    with pulling.client() as client:
        pulling.pull(Weights(tmp_path), [spec(web)], client, lambda *args: told.append(args))
    assert told[-1] == ("tiny.onnx", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_line_that_breaks_is_picked_up_where_it_broke(tmp_path: Path, web: Web) -> None:
    web.cut = [100_000, 50_000]
    pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT
    assert web.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_a_download_that_fails_is_gone_on_with_by_the_next_command(tmp_path: Path, web: Web) -> None:
    web.cut = [1000, 0, 0]
    with pytest.raises(PullError, match=r"tiny.onnx could not be downloaded from 127.0.0.1: .*; 1,000 of 512,000 bytes are kept, run the"):
        pull(tmp_path, spec(web))
    assert names(tmp_path) == {"tiny.onnx.part"}
    pull(tmp_path, spec(web))
    assert web.asked[-1] == "bytes=1000-" and (tmp_path / "tiny.onnx").read_bytes() == CONTENT
    assert names(tmp_path) == {"tiny.onnx"}


def test_a_server_that_knows_no_ranges_is_read_from_the_beginning(tmp_path: Path, web: Web) -> None:
    web.ranges = False
    (tmp_path / "tiny.onnx.part").write_bytes(b"an old beginning")
    pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT


def test_a_server_that_lies_about_the_range_is_not_believed(tmp_path: Path, web: Web) -> None:
    web.lies_about_range = True
    (tmp_path / "tiny.onnx.part").write_bytes(CONTENT[:1000])
    pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT
    assert web.asked == ["bytes=1000-", None]


def test_a_wrong_beginning_from_an_earlier_run_is_thrown_away(tmp_path: Path, web: Web) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(b"x" * 1000)
    pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, web: Web) -> None:
    (tmp_path / "tiny.onnx.part").write_bytes(CONTENT + b"x")
    pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT


def test_another_file_of_the_same_size_is_refused_and_nothing_is_left(tmp_path: Path, web: Web) -> None:
    web.body = b"x" * len(CONTENT)
    with pytest.raises(PullError, match=r"gives another file than tiny.onnx: sha256 not the expected"):
        pull(tmp_path, spec(web))
    assert names(tmp_path) == set()


def test_a_body_without_end_is_cut_off(tmp_path: Path, web: Web) -> None:
    web.body = CONTENT + CONTENT
    with pytest.raises(PullError, match=r"gives more than the 512,000 bytes"):
        pull(tmp_path, spec(web))
    assert "tiny.onnx" not in names(tmp_path)


def test_a_file_that_is_not_there_is_said_and_what_was_had_is_kept(tmp_path: Path, web: Web) -> None:
    web.status = 404
    (tmp_path / "tiny.onnx.part").write_bytes(CONTENT[:1000])
    with pytest.raises(PullError, match=r"answered 404 Not Found: tiny.onnx cannot be had there"):
        pull(tmp_path, spec(web))
    assert (tmp_path / "tiny.onnx.part").stat().st_size == 1000


def test_a_server_in_trouble_is_asked_three_times_and_no_more(tmp_path: Path, web: Web) -> None:
    web.status = 503
    with pytest.raises(PullError, match=r"the server answered 503"):
        pull(tmp_path, spec(web))
    assert len(web.asked) == pulling.TRIES


def test_no_network_is_one_sentence(tmp_path: Path, web: Web) -> None:
    with pytest.raises(PullError, match=r"127.0.0.1 cannot be reached .*: is there a network") as caught:
        pull(tmp_path, spec(web, address="http://127.0.0.1:1/tiny.onnx"))
    assert "\n" not in str(caught.value)
    assert "tiny.onnx" not in names(tmp_path)


def test_a_modified_file_is_had_from_the_mirror_alone(tmp_path: Path, web: Web) -> None:
    modified = spec(web, address=None, modified="its batch was made dynamic")
    with pytest.raises(PullError, match=r"^tiny.onnx has no address .*REGULARS_MODELS to a folder or .*REGULARS_MODELS__PACK=starter"):
        pull(tmp_path, modified)
    assert pull(tmp_path, modified, mirror=web.address) == [tmp_path / "tiny.onnx"]


def test_what_can_be_had_nowhere_is_said_before_anything_is_downloaded(tmp_path: Path, web: Web) -> None:
    lost = [spec(web, name=name, file=f"{name}.onnx", address=None, modified="made smaller") for name in ("one", "two")]
    with pytest.raises(PullError, match=r"^one.onnx and two.onnx have no address"):
        pull(tmp_path, spec(web), *lost)
    assert web.asked == [] and names(tmp_path) == set()


def test_a_disk_with_no_room_for_it_is_said_before_anything_is_fetched(tmp_path: Path, web: Web) -> None:
    with pytest.raises(PullError, match=r"tiny.onnx needs .* MB, .* MB are free"):
        pull(tmp_path, spec(web, bytes=1 << 60))
    assert web.asked == []


def test_a_disk_that_fills_up_is_one_sentence_and_nothing_half_written_has_the_name(tmp_path: Path, web: Web) -> None:
    # A limit on the size of files stands in for a full disk: the write fails half way in the same place.
    import resource
    import signal

    before, heard = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(PullError, match=r"the file cannot be written: "):
            pull(tmp_path, spec(web))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)
    assert "tiny.onnx" not in names(tmp_path)


def test_two_downloads_of_one_file_do_not_mix(tmp_path: Path, web: Web) -> None:
    import fcntl

    with (tmp_path / "tiny.onnx.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PullError, match=r"is being downloaded by another command already"):
            pull(tmp_path, spec(web))


def archived(web: Web, members: dict[str, bytes]) -> tuple[Archive, str]:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    web.body = kept.getvalue()
    return Archive(member="det.onnx", bytes=len(web.body), sha256=hashlib.sha256(web.body).hexdigest()), f"{web.address}/pack.zip"


def test_two_files_of_one_archive_are_downloaded_once(tmp_path: Path, web: Web) -> None:
    archive, address = archived(web, {"det.onnx": CONTENT, "rec.onnx": CONTENT[:5000]})
    second = Archive(member="rec.onnx", bytes=archive.bytes, sha256=archive.sha256)
    first_spec = spec(web, file="det.onnx", address=address, archive=archive)
    sha256 = hashlib.sha256(CONTENT[:5000]).hexdigest()
    second_spec = spec(web, name="rec", file="rec.onnx", bytes=5000, sha256=sha256, address=address, archive=second)
    pull(tmp_path, first_spec, second_spec)
    assert (tmp_path / "det.onnx").read_bytes() == CONTENT and (tmp_path / "rec.onnx").read_bytes() == CONTENT[:5000]
    assert web.asked == [None] and names(tmp_path) == {"det.onnx", "rec.onnx"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"other.onnx": CONTENT}, "the archive cannot be unpacked"),
        ({"det.onnx": CONTENT[:-1]}, "in the archive has 511,999 bytes, expected 512,000"),
        ({"det.onnx": b"x" * len(CONTENT)}, "in the archive is another file"),
    ],
)
def test_an_archive_with_something_else_in_it_leaves_nothing(tmp_path: Path, web: Web, members: dict[str, bytes], words: str) -> None:
    archive, address = archived(web, members)
    with pytest.raises(PullError, match=words):
        pull(tmp_path, spec(web, file="det.onnx", address=address, archive=archive))
    assert names(tmp_path) == set()
