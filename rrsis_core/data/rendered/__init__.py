"""A rendered scene is a made-up aerial photograph with complete truth: for demos, tests, benchmarks and training."""

from .demo import demo_scene
from .render import KINDS, render_scene
from .scene import CATEGORIES, Scene, SceneObject

__all__ = ["CATEGORIES", "KINDS", "Scene", "SceneObject", "demo_scene", "render_scene"]
