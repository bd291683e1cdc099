"""The window: PySide6 widgets over ``app``. Everything in here runs on the main thread."""
