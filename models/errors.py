"""What can go wrong in models/: each says in one sentence which file or pack, what is the matter and what to do.

    ModelsError
    ├── ManifestError      a manifest that says something it may not say
    ├── WeightsError       a weight file that is missing, damaged or of another kind than the manifest says
    │   └── PullError      a download that did not succeed
    ├── NotAccepted        a pack whose terms nobody has accepted here
    └── EvaluationError    a folder of photos that is not laid out as `models evaluate` needs it
"""

from __future__ import annotations


class ModelsError(Exception):
    pass


class ManifestError(ModelsError):
    pass


class WeightsError(ModelsError):
    pass


class PullError(WeightsError):
    pass


class NotAccepted(ModelsError):
    pass


class EvaluationError(ModelsError):
    pass
