#!/usr/bin/env python3
"""Makes DIR/rpmdb.sqlite and its log by the real SQLite, with a table Packages as rpm's: rows of all lengths around the
points where a payload leaves its page, half of them in the log alone, a third deleted, one page size a run.
Prints the names of the packages that SQLite sees.

usage: rpm-pages.py DIR PAGE-SIZE"""
import os, shutil, sqlite3, struct, sys

out, size = sys.argv[1], int(sys.argv[2])
work = out + "/work"
os.mkdir(work)


def header(n, length):
    """A header of `length` bytes of data: the name, and padding that nothing refers to."""
    data = b"p-%d\0" % n
    data += bytes((n + i) % 251 for i in range(max(0, length - len(data))))
    return struct.pack(">IIIIiI", 1, len(data), 1000, 6, 0, 1) + data


def lengths(number):
    around = [size - 100 + 7 * i for i in range(20)] + [(k + 1) * (size - 4) - 60 + k for k in range(20)]
    return [around[n % 40] if n % 2 else (n * n * 37) % (4 * size) for n in number]


path = work + "/rpmdb.sqlite"
db = sqlite3.connect(path, isolation_level=None)
db.execute(f"PRAGMA page_size = {size}")
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA wal_autocheckpoint = 0")
db.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")


def add(numbers):
    db.execute("BEGIN")
    db.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header(n, l),) for n, l in zip(numbers, lengths(numbers))])
    db.execute("COMMIT")


add(range(0, 150))
db.execute("DELETE FROM Packages WHERE hnum % 3 = 0")
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
add(range(150, 300))
db.execute("DELETE FROM Packages WHERE hnum % 7 = 0")
for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal"):  # while the connection is open, or SQLite would empty the log
    shutil.copy(f"{work}/{name}", f"{out}/{name}")
for (blob,) in db.execute("SELECT blob FROM Packages"):
    print(blob[24:].split(b"\0")[0].decode())
db.close()
shutil.rmtree(work)
