"""Print crun's configuration for an image: as in a cluster, on a read-only root as its own user.

    buildah inspect --type image IMAGE | python bundle.py ROOT DATA COMMAND... > config.json

DATA is the folder that becomes /data. Without a command it is the image's own. Its network is
a loopback.
"""

import json
import sys

ISOLATED = ("pid", "network", "ipc", "uts", "mount")
SMALL = ["nosuid", "nodev", "mode=1777"]
root, data, *command = sys.argv[1:]
image = json.load(sys.stdin)["Docker"]["config"]
uid, _, gid = image["User"].partition(":")
mounts = [
    ("/proc", "proc", "proc", []),
    ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
    ("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=65536k"]),
    ("/dev/shm", "tmpfs", "shm", [*SMALL, "noexec", "size=65536k"]),  # noqa: S108
    ("/tmp", "tmpfs", "tmpfs", SMALL),  # noqa: S108
    ("/data", "bind", data, ["bind", "rw", "nosuid", "nodev"]),
]
names = ("destination", "type", "source", "options")
json.dump(
    {
        "ociVersion": "1.0.0",
        "root": {"path": root, "readonly": True},
        "process": {
            "user": {"uid": int(uid), "gid": int(gid)},
            "args": command or image["Cmd"],
            "env": image["Env"],
            "cwd": image["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "mounts": [dict(zip(names, mount, strict=True)) for mount in mounts],
        "linux": {"namespaces": [{"type": kind} for kind in ISOLATED]},
    },
    sys.stdout,
)
