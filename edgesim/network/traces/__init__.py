"""Files of recorded rates: one format a module, and the registry of them in ``formats``."""
