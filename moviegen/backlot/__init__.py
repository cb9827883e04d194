"""The Backlot: a procedural world in which every actor, prop, action, sound and edit is known exactly."""

from moviegen.backlot.captions import STYLES, caption, captions
from moviegen.backlot.factors import FACTORS, IDENTITY_FACTORS, PERSON_FACTORS, Factor, allowed, applies
from moviegen.backlot.pairs import edit, edits, elsewhere, portrait
from moviegen.backlot.render import render
from moviegen.backlot.scene import Person, Scene, sample_scene
from moviegen.backlot.truth import Truth, truth

__all__ = [
    "FACTORS",
    "IDENTITY_FACTORS",
    "PERSON_FACTORS",
    "STYLES",
    "Factor",
    "Person",
    "Scene",
    "Truth",
    "allowed",
    "applies",
    "caption",
    "captions",
    "edit",
    "edits",
    "elsewhere",
    "portrait",
    "render",
    "sample_scene",
    "truth",
]
