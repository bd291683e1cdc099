"""Exports: a session, or a stretch of it, in the formats that other tools read.

``exporting`` carries an order out, ``formats`` says what there is to choose from. Importing this
brings no audio library along: a window may ask what the formats are before anything is read.
"""
