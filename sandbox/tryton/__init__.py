"""A real Tryton ERP as a neighbour process: installed, prepared, seeded and run by one command.

Everything is set up through Tryton's own JSON-RPC interface, as an administrator's script would.
Tryton is licensed under the GPL; it runs as a process of its own and nothing of it is imported.
"""
