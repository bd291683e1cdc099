"""The timeline: lanes, overview, ruler, selection; what they draw and where it stands."""
