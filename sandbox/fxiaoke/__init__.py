"""A stand-in for the Open API of 纷享销客: same paths, bodies, error codes and limits, own data.

Run it with `python -m sandbox.fxiaoke --port P --data DIR [--seed FILE.json]`.
"""
