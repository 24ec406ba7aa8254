"""Where requests go out to: one address, resolved and judged before anything is sent.

Server-side request forgery: whoever can write an address into the settings, or answer for a name,
must not reach what only this machine can. So the name is resolved once, every address it has is
judged, and the connection goes to the one that was judged.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from contracts.errors import LinkDownError, PermanentError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def pinned(request: httpx.Request, *, allow_private: bool) -> httpx.Request:
    """The request, bound to an address that was judged; name and certificate stay those of the URL.

    Raises:
        PermanentError: it leads into a private network, which is not allowed.
        LinkDownError: the name cannot be resolved now.
    """
    host, port = (
        request.url.host,
        request.url.port or (443 if request.url.scheme == "https" else 80),
    )
    try:
        found = await asyncio.to_thread(
            socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError) as error:
        raise LinkDownError(f"{host}: the name cannot be resolved") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not allow_private:
        for address in addresses:
            if not _public(address):
                raise PermanentError(f"{host} leads to {address}, which is not a public address")
    target = addresses[0]
    bound = request.url.copy_with(host=str(target))
    return httpx.Request(
        request.method,
        bound,
        headers=request.headers,  # with the Host of the URL
        content=request.content,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.sixtofour is not None:
            address = address.sixtofour
    return address.is_global and not address.is_multicast
