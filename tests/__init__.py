"""Tests of Turnscope. They mirror the tree; `rig/` is the virtual sound card and screen."""
