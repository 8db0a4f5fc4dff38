"""What is known of every weight file, and the packs made of them: `manifest.toml`, plus a `models.toml` that a user may add.

A model that fits one of the tasks here needs no code, only an entry. Unknown keys are refused: a misspelt one would otherwise be
silently without effect, and a wrong normalisation costs accuracy without a word.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from models.bars import Bars
from models.errors import ManifestError

BUILT_IN = Path(__file__).with_name("manifest.toml")
OWN_NAME = "models.toml"
"""A user's own manifest, in the data directory's models folder."""
MANIFEST_BYTES_MAX = 1 << 20
"""Some hundred models; more is not a manifest."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
"""No folder in it: what a manifest names stays in the models folder."""
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://.+")]
Positive = Annotated[int, msgspec.Meta(gt=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]

Normalisation = Literal[
    "bgr_0_255",
    "rgb_0_255",
    "rgb_minus_127.5_over_127.5",
    "rgb_minus_127.5_over_128",
    "rgb_imagenet",
    "per_image_standardisation",
]
"""How pixels become the net's numbers; models/normalisation.py holds the arithmetic."""
Alignment = Literal["arcface_112", "box_margin"]
"""arcface_112: the five points on ArcFace's template, scaled to the input's side. box_margin: a square about the box, `margin` wider."""


class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The address gives a zip archive with the file in it."""

    member: str
    bytes: Positive
    sha256: Sha256


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="task"):
    """One weight file."""

    name: Name
    file: FileName
    sha256: Sha256
    bytes: Positive
    licence: str
    commercial_use: bool
    origin: str
    address: Address | None = None
    archive: Archive | None = None
    modified: str = ""
    """How the file differs from the one that `origin` publishes. Such a file has no address."""
    bundled: bool = False
    """Lies in models/starter, in the repository itself."""

    def __post_init__(self) -> None:
        if self.address and self.modified:
            raise ValueError(f"{self.name}: a modified file has no address, for what lies there has another sha256")
        if self.archive and not self.address:
            raise ValueError(f"{self.name}: an archive needs the address that it is downloaded from")


class DetectorSpec(Spec, frozen=True, kw_only=True, tag="detection"):
    normalisation: Literal["bgr_0_255", "rgb_minus_127.5_over_128"]
    decoding: Literal["yunet", "scrfd"]
    score_min: Fraction = 0.5
    iou_max: Fraction = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = {"yunet": "bgr_0_255", "scrfd": "rgb_minus_127.5_over_128"}[self.decoding]
        if self.normalisation != expected:
            raise ValueError(f"{self.name}: a {self.decoding} detector is fed {expected}, not {self.normalisation}")


class EmbedderSpec(Spec, frozen=True, kw_only=True, tag="embedding"):
    """`input_side`: pixels, the input is square. `output_size`: numbers in an embedding."""

    input_side: Positive
    output_size: Positive
    normalisation: Normalisation
    alignment: Alignment
    margin: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.25
    """Of box_margin: share of the box's longer side that the crop is wider."""


class AgeGenderSpec(Spec, frozen=True, kw_only=True, tag="age_gender"):
    """Outputs `age` (N, 1) in years and `gender` (N, 2) as softmax of male, female."""

    input_side: Positive
    normalisation: Normalisation


class LivenessSpec(Spec, frozen=True, kw_only=True, tag="liveness"):
    """Output (N, 3) logits, class 1 is a real face. `crop_scale`: how much the box is enlarged."""

    input_side: Positive
    normalisation: Normalisation
    crop_scale: Annotated[float, msgspec.Meta(ge=1, le=10)]


S = TypeVar("S", DetectorSpec, EmbedderSpec, AgeGenderSpec, LivenessSpec)
AnySpec = DetectorSpec | EmbedderSpec | AgeGenderSpec | LivenessSpec


class BarsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`far`: [rate of false accepts, cosine] pairs; `measured`: on what, in words."""

    detector: Name
    embedder: Name
    far: list[tuple[float, float]]
    measured: str

    def __post_init__(self) -> None:
        self.bars()

    def bars(self) -> Bars:
        return Bars(dict(self.far))


class PackSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Models that work together. `terms`: what must be accepted by name before the pack may be used; empty: nothing."""

    name: Name
    summary: str
    detector: Name
    embedder: Name
    age_gender: Name | None = None
    liveness: list[Name] = []
    terms: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    files: list[AnySpec] = []
    bars: list[BarsEntry] = []
    packs: list[PackSpec] = []

    def pack(self, name: str) -> PackSpec:
        for pack in self.packs:
            if pack.name == name:
                return pack
        raise ManifestError(f"there is no pack {name!r}: the packs are {', '.join(pack.name for pack in self.packs)}")

    def file(self, name: str) -> AnySpec:
        for spec in self.files:
            if spec.name == name:
                return spec
        raise ManifestError(f"there is no model {name!r} in the manifest: add it under [[files]]")

    def detector(self, pack: PackSpec) -> DetectorSpec:
        return _of_kind(self.file(pack.detector), DetectorSpec, pack)

    def embedder(self, pack: PackSpec) -> EmbedderSpec:
        return _of_kind(self.file(pack.embedder), EmbedderSpec, pack)

    def age_gender(self, pack: PackSpec) -> AgeGenderSpec | None:
        return _of_kind(self.file(pack.age_gender), AgeGenderSpec, pack) if pack.age_gender else None

    def liveness(self, pack: PackSpec) -> list[LivenessSpec]:
        return [_of_kind(self.file(name), LivenessSpec, pack) for name in pack.liveness]

    def files_of(self, pack: PackSpec) -> list[AnySpec]:
        age_gender = self.age_gender(pack)
        return [self.detector(pack), self.embedder(pack), *([age_gender] if age_gender else []), *self.liveness(pack)]

    def bars_of(self, pack: PackSpec) -> Bars | None:
        """None: nobody has measured this embedder on this detector's points. A user's own bars come before the built-in ones."""
        for entry in reversed(self.bars):
            if (entry.detector, entry.embedder) == (pack.detector, pack.embedder):
                return entry.bars()
        return None


def read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise ManifestError(f"{path}: larger than {MANIFEST_BYTES_MAX:,} bytes, this is no manifest")
        return msgspec.toml.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.ValidationError as error:
        raise ManifestError(f"{path}: {_plain(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error


def manifest(own_folder: Path | None = None) -> Manifest:
    """The built-in manifest, and what the user's own one in `own_folder` adds to it."""
    built_in = read_manifest(BUILT_IN)
    own = Manifest()
    if own_folder and (own_folder / OWN_NAME).exists():
        own = read_manifest(own_folder / OWN_NAME)
    joined = Manifest(files=built_in.files + own.files, bars=built_in.bars + own.bars, packs=built_in.packs + own.packs)
    _check(joined, own_folder / OWN_NAME if own_folder else BUILT_IN)
    return joined


def _check(joined: Manifest, path: Path) -> None:
    for kind, names in (
        ("model", [spec.name for spec in joined.files]),
        ("file", [spec.file for spec in joined.files]),
        ("pack", [pack.name for pack in joined.packs]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ManifestError(f"{path}: the {kind} {twice[0]!r} is there already: give yours another name")
    for pack in joined.packs:
        restricted = [spec for spec in joined.files_of(pack) if not spec.commercial_use and not spec.bundled]
        if restricted and not pack.terms:
            raise ManifestError(f"{path}: {restricted[0].name!r} in the pack {pack.name!r} is not for commercial use: say so in `terms`")


def _of_kind(spec: AnySpec, kind: type[S], pack: PackSpec) -> S:
    if isinstance(spec, kind):
        return spec
    raise ManifestError(f"the pack {pack.name!r} uses {spec.name!r}, which is for another task: {spec.__struct_config__.tag}")


def _plain(error: str) -> str:
    """msgspec's "Object contains unknown field `x` - at `$.files[3]`" as "unknown field `x` in files[3]"."""
    what, _, where = error.partition(" - at `$")
    place = where.rstrip("`").lstrip(".")
    return what.replace("Object contains unknown", "unknown").replace("Object missing", "missing") + (f" in {place}" if place else "")
