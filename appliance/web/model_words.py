"""Why a pack of models cannot be used, and the terms of those that come with Regulars. `models` knows no reader and speaks English;
`retold` finds each sentence again here."""

from __future__ import annotations

from ui.words import gettext as _

SENTENCES = (
    _("the pack '%(pack)s' needs its terms accepted: %(terms)s To accept: %(command)s"),
    _("InsightFace's pretrained models are for non-commercial research only (github.com/deepinsight/insightface, README, License)."),
    _("The models '%(pack)s' cannot be used: %(why)s."),
    _("%(file)s is not here: %(how)s"),
    _("check models/starter out again: it comes with the repository"),
    _(
        "set %(variable)s to a folder or an http(s) mirror that has it and run `%(command)s` (where it was published it cannot be had, "
        "because %(why)s), or %(instead)s"
    ),
    _("its batch dimension was made dynamic (one reshape constant); the outputs are the same to the bit"),
    _("the int8 graph was rebuilt as a float graph whose weights are stored as int8 and scale (cosine 0.996 to the published one)"),
    _("its weight shards were dequantised and written as one ONNX file"),
    _("copy it into the data directory's models folder (%(file)s gives no address for it)"),
    _("run `%(command)s`, or %(instead)s"),
    _(
        "run with the weak pack that is part of every checkout: REGULARS_MODELS__PACK=starter, or pack = \"starter\" in [models] of the "
        "settings"
    ),
    _("%(path)s is cut short: %(n)s bytes, expected %(expected)s; remove it and %(how)s"),
    _("%(path)s is too long: %(n)s bytes, expected %(expected)s; remove it and %(how)s"),
    _("%(path)s is another file: sha256 %(found)s…, expected %(expected)s…; remove it and %(how)s"),
    _("%(path)s cannot be read: %(why)s"),
    _("models are to be looked for in %(folder)s, which is not a folder: correct %(variable)s or `models.folder`"),
    _("The models '%(pack)s' have no bars yet: measure with `%(command)s`."),
    _("the pack '%(pack)s' has no bars for '%(embedder)s' on the points of '%(detector)s': measure them with `%(command)s` and add what it "
      "prints to models.toml"),
    _("there is no pack '%(pack)s': the packs are %(packs)s"),
    _("there is no model '%(model)s' in the manifest: add it under [[files]]"),
    _("the pack '%(pack)s' uses '%(model)s', which is for another task: %(task)s"),
    _("%(path)s: larger than %(n)s bytes, this is no manifest"),
    _("%(path)s: cannot be read: %(why)s"),
    _("%(path)s: not TOML: %(why)s"),
    _("%(path)s: the %(kind)s '%(name)s' is there already: give yours another name"),
    _("%(path)s: '%(model)s' in the pack '%(pack)s' is not for commercial use: say so in `terms`"),
    _("%(path)s cannot be understood (%(why)s): remove it and accept again"),
    _("%(path)s cannot be opened as a model: %(why)s"),
    _("%(file)s gives %(n)s numbers an embedding, the manifest says %(expected)s"),
)  # fmt: skip
