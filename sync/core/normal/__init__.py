"""Normal forms: what two spellings of one name, number or address have in common. Pure."""
