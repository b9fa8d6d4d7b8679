"""Adapters: one file or folder per engine, store and channel; chosen only in app.py."""
