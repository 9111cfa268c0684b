"""The steps that mapping rules are made of; importing this package registers all of them."""

from mapping.transforms import choice, contact, number, place, text, time
from mapping.transforms.registry import Refusal, Step, Transform, build, describe, names

__all__ = [
    "Refusal",
    "Step",
    "Transform",
    "build",
    "choice",
    "contact",
    "describe",
    "names",
    "number",
    "place",
    "text",
    "time",
]
