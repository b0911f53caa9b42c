"""A client for the market API, from settings that may be wrong. No message tells a secret."""

import httpx2

from ..domain.errors import MarketError

_CONNECT_SECONDS = 10.0


def open_client(base_url: str | None, api_key: str | None, timeout_seconds: float) -> httpx2.Client:
    """MarketError where the address, the key or the environment cannot be used.

    A user and password in the address go into a header, for addresses are logged.
    """
    url = _address(base_url)
    headers = _headers(api_key)
    timeout = httpx2.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_SECONDS))
    try:
        return httpx2.Client(
            base_url=url.copy_with(username=None, password=None),
            auth=(url.username, url.password) if url.userinfo else None,
            headers=headers,
            timeout=timeout,
            follow_redirects=False,
        )
    except (httpx2.InvalidURL, ImportError, OSError, ValueError) as error:
        problem = type(error).__name__
    raise MarketError(
        f"The environment's proxy or certificates cannot be used ({problem}): check "
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
    )


def _address(base_url: str | None) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url or "")
    except httpx2.InvalidURL:
        url = httpx2.URL()
    usable = url.scheme in ("http", "https") and url.host and not (url.query or url.fragment)
    if usable and (url.port is None or 0 < url.port < 65536):
        return url
    raise MarketError(
        "REE_API_BASE_URL is not set or no address: give it as http(s)://host[:port][/path]."
    )


def _headers(api_key: str | None) -> dict[str, str]:
    if not api_key:
        return {}
    if api_key.isascii() and api_key.isprintable() and api_key == api_key.strip():
        return {"Apikey": api_key}
    raise MarketError(
        "REE_API_KEY cannot be sent: it has a line break, a space around it or a character that "
        "is not ASCII. Copy it again."
    )
