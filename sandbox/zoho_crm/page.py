"""The page for people."""

from flask import Blueprint

api = Blueprint("page", __name__)
