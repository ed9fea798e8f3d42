#!/usr/bin/env python3
"""unpack_deb.py ROOT PACKAGE...: unpack Debian packages below ROOT without dpkg.

A .deb is an ar archive whose member data.tar.xz holds the files. Only headers and libraries are
kept. Absolute symbolic links are made relative, so that they stay inside ROOT.
"""

import io
import os
import sys
import tarfile

AR_MAGIC = b"!<arch>\n"
AR_HEADER_BYTES = 60
KEPT = ("usr/include/", "usr/lib/", "lib/")


def members(path):
    """Yield name and bytes of each member of an ar archive."""
    with open(path, "rb") as file:
        if file.read(len(AR_MAGIC)) != AR_MAGIC:
            sys.exit(f"{path}: not a Debian package (no ar archive)")
        while header := file.read(AR_HEADER_BYTES):
            name = header[:16].decode().strip().rstrip("/")
            size = int(header[48:58])
            yield name, file.read(size)
            file.read(size & 1)


def unpack(package, root):
    """Unpack the headers and libraries of one package."""
    for name, data in members(package):
        if not name.startswith("data.tar"):
            continue
        if name.endswith(".zst"):
            sys.exit(f"{package}: compressed with zstd, as Ubuntu's are; wanted Debian's")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
            for member in tar:
                member.name = os.path.normpath(member.name)
                if not member.name.startswith(KEPT):
                    continue
                if member.issym() and member.linkname.startswith("/"):
                    target = member.linkname.lstrip("/")
                    member.linkname = os.path.relpath(target, os.path.dirname(member.name))
                tar.extract(member, root)


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: unpack_deb.py ROOT PACKAGE...")
    for package in sys.argv[2:]:
        unpack(package, sys.argv[1])


if __name__ == "__main__":
    main()
