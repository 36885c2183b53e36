#!/usr/bin/env python3
"""mkcpio.py ARCHIVE ROOT FILE...: writes a cpio archive (newc, as Linux's initrd).

The same files give the same bytes: names sorted, owner root, time zero.
Each file is named relative to ROOT; its folders are added. NAME=TARGET is a symbolic
link; it is made in ROOT, too. A folder that is named comes without what is in it.
"""
import os
import sys

FOLDER, SHARED, PROGRAM, TEXT, LINK = 0o040755, 0o041777, 0o100755, 0o100644, 0o120777


def entry(inode, mode, name, data=b""):
    links = 2 if mode in (FOLDER, SHARED) else 1
    path = name.encode() + b"\0"
    #        inode  mode  uid gid links  mtime size     device  rdevice  name    check
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + path
    return pad(head) + pad(data)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def make_link(root, name, target):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.islink(path):
        os.symlink(target, path)


def main(archive, root, *arguments):
    links = dict(a.split("=") for a in arguments if "=" in a)
    for name, target in links.items():
        make_link(root, name, target)
    files = [a.partition("=")[0] for a in arguments]
    folders = {""}.union(f for f in files if os.path.isdir(os.path.join(root, f)))
    for name in files:
        while name:
            name = os.path.dirname(name)
            folders.add(name)
    out = []
    for inode, name in enumerate(sorted(folders.union(files) - {""}), 1):
        path = os.path.join(root, name)
        if name in folders:
            out.append(entry(inode, SHARED if name == "tmp" else FOLDER, name))
            continue
        if name in links:
            out.append(entry(inode, LINK, name, links[name].encode()))
            continue
        with open(path, "rb") as f:
            mode = PROGRAM if os.access(path, os.X_OK) else TEXT
            out.append(entry(inode, mode, name, f.read()))
    out.append(entry(0, 0, "TRAILER!!!"))
    whole = b"".join(out)
    with open(archive, "wb") as f:
        f.write(whole + b"\0" * (-len(whole) % 512))


main(*sys.argv[1:])
