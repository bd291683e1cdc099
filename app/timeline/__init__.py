"""What happens in a session, as events on one clock, and the tracks beside them."""
