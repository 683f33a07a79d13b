#!/usr/bin/env python3
"""usage: pack_web.py BUNDLE OUTPUT

Packs the built web application for the binary; src/web/pack.h has the format. The same bundle gives the same
bytes. Refuses a bundle whose index.html lacks a placeholder that the server fills in.
"""
import gzip
import hashlib
import pathlib
import re
import struct
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PLACEHOLDERS = ("__AEVUM_NONCE__", "__AEVUM_BASE__", "__AEVUM_CONFIG__")
HASHED = re.compile(r"^assets/.*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
COMPRESSED, IMMUTABLE = 1, 2


def sized(data):
    return struct.pack(">I", len(data)) + data


def asset(path, content):
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix not in TYPES:
        raise SystemExit(f"pack_web: no content type is known for {path}")
    small = gzip.compress(content, 9, mtime=0)
    flags, data = (COMPRESSED, small) if len(small) < len(content) else (0, content)
    if HASHED.match(path):
        flags |= IMMUTABLE
    tag = hashlib.sha256(content).hexdigest()[:32]
    return (sized(path.encode()) + sized(TYPES[suffix].encode()) + sized(tag.encode())
            + struct.pack(">BI", flags, len(content)) + sized(data))


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    bundle, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted((p.relative_to(bundle).as_posix().encode(), p) for p in bundle.rglob("*") if p.is_file())
    index = bundle / "index.html"
    text = index.read_text() if index.exists() else ""
    for placeholder in PLACEHOLDERS:
        if placeholder not in text:
            raise SystemExit(f"pack_web: {index} does not hold {placeholder}")
    packed = b"".join(asset(path.decode(), file.read_bytes()) for path, file in files)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(b"AEVUMWEB" + struct.pack(">BI", 1, len(files)) + packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
