"""Connect to public addresses only, and to exactly the address that was checked.

A name that resolves to this machine or its network would let a sources file, or a redirect, read what only this machine
may read. The name is resolved here, once per connection, and the connection goes to the resolved address: nothing can
change between check and use (DNS rebinding).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable

import httpcore

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


class ForbiddenAddressError(Exception):
    """A host name resolved to an address that is not public."""


def addresses_within(address: Address) -> list[Address]:
    """Return an address and the IPv4 addresses that are embedded in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in TRANSLATED:
        inner.append(ipaddress.IPv4Address(address.packed[-4:]))
    return [address, *(found for found in inner if found is not None)]


def is_public(text: str) -> bool:
    """Tell whether a literal address, and every address embedded in it, belongs to the public internet."""
    address = ipaddress.ip_address(text.split("%")[0])
    if address in TRANSLATED or getattr(address, "ipv4_mapped", None):
        return all(is_global(found) for found in addresses_within(address)[1:])
    return all(is_global(found) for found in addresses_within(address))


def is_global(address: Address) -> bool:
    """Tell whether an address is globally reachable: not private, local, reserved or multicast."""
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host by the system's resolver.

    Raises:
        OSError: The host has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, allowed_hosts: Collection[str], resolve: Resolve = resolve) -> None:
        """Allow any address for `allowed_hosts`; every other host must be public."""
        self._allowed_hosts = frozenset(allowed_hosts)
        self._resolve = resolve
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of a host's addresses that answers.

        Raises:
            ForbiddenAddressError: One of them is not public. Then the others are not trusted either.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self.checked(host, port, timeout):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        """Return the addresses of a host, after checking every one."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no address of {host} in {timeout:g} seconds") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address of {host}") from error
        for address in addresses:
            if host not in self._allowed_hosts and not is_public(address):
                raise ForbiddenAddressError(f"{host} resolves to {address}, which is not public")
        return addresses

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: sockets of this machine are never opened.

        Raises:
            ForbiddenAddressError: Always.
        """
        del timeout, socket_options
        raise ForbiddenAddressError(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)
