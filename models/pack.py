"""A pack, ready to use: the detector and embedder that belong together, their bars, and what else can be said of a face.

Loading reads files and nothing else: what is missing is an error with a sentence, never a download.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import onnxruntime as ort

from models.acceptance import require_accepted
from models.attributes import AgeGender
from models.bars import Bars
from models.detect import Detector
from models.embed import Embedder
from models.errors import ManifestError, WeightsError
from models.liveness import Liveness
from models.manifest import AnySpec, DetectorSpec, EmbedderSpec, Manifest, Normalisation, PackSpec
from models.scrfd import Scrfd
from models.session import open_session
from models.weights import Weights, find
from models.yunet import YuNet

DEFAULT_PACK = "open"
CHOICES_NAME = "providers.json"


@dataclass(frozen=True)
class Pack:
    name: str
    detector: Detector
    embedder: Embedder
    embedder_spec: EmbedderSpec
    _spec: PackSpec = field(repr=False)
    _manifest: Manifest = field(repr=False)
    _weights: Weights = field(repr=False)
    _threads: int = field(repr=False)

    @cached_property
    def bars(self) -> Bars:
        """Raises ManifestError where nobody has measured them."""
        bars = self._manifest.bars_of(self._spec)
        if bars is None:
            raise ManifestError(
                f"the pack {self.name!r} has no bars for {self._spec.embedder!r} on the points of {self._spec.detector!r}: "
                f"measure them with `regulars models evaluate DIR --pack {self.name}` and add what it prints to models.toml"
            )
        return bars

    def attributes(self) -> AgeGender | None:
        """Age and gender, loaded on first use; None where the pack has none."""
        return self._age_gender

    def liveness(self) -> Liveness | None:
        """Loaded on first use; None where the pack has none."""
        return self._liveness

    @cached_property
    def _age_gender(self) -> AgeGender | None:
        spec = self._manifest.age_gender(self._spec)
        return AgeGender(_session(self._weights, spec, self._threads), spec) if spec else None

    @cached_property
    def _liveness(self) -> Liveness | None:
        specs = self._manifest.liveness(self._spec)
        return Liveness([(_session(self._weights, spec, self._threads), spec) for spec in specs]) if specs else None


def _plainly(session: ort.InferenceSession) -> ort.InferenceSession:
    return session


def load_pack(
    name: str, weights: Weights, *, threads: int = 1, around: Callable[[ort.InferenceSession], ort.InferenceSession] = _plainly
) -> Pack:
    """`around` may put something between a model and its session that hears what is asked (models/calls.py).

    Raises ManifestError for an unknown pack, NotAccepted before its terms are accepted, WeightsError for files missing or wrong.
    """
    manifest = weights.manifest()
    pack = manifest.pack(name)
    require_accepted(weights, pack)
    detector, embedder = manifest.detector(pack), manifest.embedder(pack)
    return Pack(
        name,
        _detector(around(_session(weights, detector, threads, detector.normalisation)), detector),
        _embedder(around(_session(weights, embedder, threads, embedder.normalisation)), embedder),
        embedder,
        pack,
        manifest,
        weights,
        threads,
    )


def _session(weights: Weights, spec: AnySpec, threads: int, scheme: Normalisation | None = None) -> ort.InferenceSession:
    choices_file = weights.own / CHOICES_NAME
    return open_session(find(weights, spec), threads=threads, scheme=scheme, providers="auto", choices_file=choices_file)


def _detector(session: ort.InferenceSession, spec: DetectorSpec) -> Detector:
    if spec.decoding == "yunet":
        return YuNet(session, spec.name, score_min=spec.score_min, iou_max=spec.iou_max)
    return Scrfd(session, spec.name, score_min=spec.score_min, iou_max=spec.iou_max)


def _embedder(session: ort.InferenceSession, spec: EmbedderSpec) -> Embedder:
    size = session.get_outputs()[0].shape[-1]
    if isinstance(size, int) and size != spec.output_size:
        raise WeightsError(f"{spec.file} gives {size} numbers an embedding, the manifest says {spec.output_size}")
    return Embedder(session, spec)
