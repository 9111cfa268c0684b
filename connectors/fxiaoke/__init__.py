"""纷享销客 (ShareCRM) over its Open API."""

from connectors.fxiaoke.connector import Fxiaoke

CONNECTOR = Fxiaoke

__all__ = ["CONNECTOR", "Fxiaoke"]
