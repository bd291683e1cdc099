"""Sessions on disk: writing them, keeping them whole, reading what may be anything."""
