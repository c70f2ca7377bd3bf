"""Shows what becomes of a message's headers: ``python -m tests.support.corpus horde``.

docs/explanation/privacy.md shows that one.
"""

import sys

from tests.support.corpus import SAMPLES, Sample

VALUES = {
    "token": "22",
    "relay": "mx1.example.org",
    "reader": "reader@example.net",
    "host": "kitchen-pc",
    "ipv4": "192.0.2.77",
    "ipv6": "2001:db8::77",
    "ipv6_long": "2001:0db8:0000:0000:0000:0000:0000:0077",
    "hex": "4d0200c0",
    "login": "alice",
}
# What Postfix 3.7 writes by itself, and what it becomes.
TRACE = """\
-Received: from kitchen-pc.fritz.box (dsl-192-0-2-77.example.net [192.0.2.77])
-	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
-	(Authenticated sender: alice)
-	by mx1.example.org (Postfix) with ESMTPSA id 4dBTqG1FsVz9sRk
-	for <reader@example.net>; Thu, 20 Nov 2025 09:28:01 +0000 (UTC)
+Received: by mx1.example.org (Postfix) id 4dBTqG1FsVz9sRk; Thu, 20 Nov 2025 09:28:01 +0000 (UTC)
"""


def picture(sample: Sample) -> str:
    """Show a message's headers, those that go with - and those that come with +."""
    lines = list(sample.lines)
    headers = "".join(f"{line}\n" for line in lines[: lines.index(" ")])
    for word, value in VALUES.items():
        headers = headers.replace(f"%{word}%", value)
    return TRACE + headers


if __name__ == "__main__":
    found = [sample for sample in SAMPLES if sample.name in sys.argv[1:]]
    if not found:
        sys.exit(f"name one of: {', '.join(map(str, SAMPLES))}")
    print("\n".join(map(picture, found)), end="")
