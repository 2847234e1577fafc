"""Writes the files beside it with the Python drivers: rndi-cache-interface and rndi-cache-sqlite-adapter, jsonpickle."""

import datetime
import os
import sys

from rndi.cache.adapters.fs.adapter import FileSystemCacheAdapter
from rndi.cache.adapters.sqlite.adapter import SQLiteCacheAdapter

CENTURY = 100 * 365 * 86_400


class Token:
    def __init__(self, text):
        self.text = text


folder = sys.argv[1]
for cache in [FileSystemCacheAdapter(folder), SQLiteCacheAdapter(folder)]:
    cache.put('token', 'abc', CENTURY)
    cache.put('vendor:token/1', {'access_token': 'é "quoted"', 'expires_in': 3600, 'scopes': ['a', None, True]}, CENTURY)
    cache.put('with space é', [1, 2.5, -3, {'nested': {}}], CENTURY)
    cache.put('number', 18_446_744_073_709_551_615, CENTURY)
    cache.put('short', 'gone', -10)
    # What only Python can read.
    cache.put('date', datetime.datetime(2026, 1, 1), CENTURY)
    cache.put('object', Token('abc'), CENTURY)
    cache.put('nothing', None, CENTURY)
# All in one file.
cache.connection.execute('PRAGMA journal_mode = DELETE')
os.chmod(os.path.join(folder, 'cache.sqlite'), 0o644)
