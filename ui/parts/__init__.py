"""What several parts of the window are made of: theme, icons, tables, pickers, background work."""
