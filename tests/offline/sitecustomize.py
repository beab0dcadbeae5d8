"""Sockets reach this machine only: Python imports this when it starts with it on PYTHONPATH."""

import errno
import ipaddress
import socket

MESSAGE = "the network is cut off in tests"


def is_local(host) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def refuse_others(sock, address) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
        raise OSError(errno.ENETUNREACH, f"{MESSAGE}: {address[0]}")


def cut_network() -> None:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def local_connect(self, address):
        refuse_others(self, address)
        return connect(self, address)

    def local_connect_ex(self, address):
        refuse_others(self, address)
        return connect_ex(self, address)

    def local_getaddrinfo(host, *args, **kwargs):
        if not is_local(host):
            raise socket.gaierror(socket.EAI_NONAME, f"{MESSAGE}: {host}")
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = local_connect
    socket.socket.connect_ex = local_connect_ex
    socket.getaddrinfo = local_getaddrinfo
    socket.network_is_cut = True


if not hasattr(socket, "network_is_cut"):
    cut_network()
