"""The headers that every answer has.

HSTS is not among them: TLS ends at the ingress, which knows whether it holds for the whole host.
"""

POLICY = "Content-Security-Policy"
CACHING = "Cache-Control"
_SENSORS = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")

ALWAYS = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ", ".join(f"{name}=()" for name in _SENSORS)),
)
_POLICY = (POLICY, "default-src 'none'; frame-ancestors 'none'")
_CACHING = (CACHING, "no-store")


def complete(headers: list[tuple[str, str]]) -> str:
    """Add what an answer does not say itself; its Content-Length, "0" if it has none."""
    policy = caching = True
    size = "0"
    for name, value in headers:
        if name == "Content-Length":
            size = value
        elif name == POLICY:
            policy = False
        elif name == CACHING:
            caching = False
    headers.extend(ALWAYS)
    if policy:
        headers.append(_POLICY)
    if caching:
        headers.append(_CACHING)
    return size
