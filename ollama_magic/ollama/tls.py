"""The trusted certificates; an http:// address loads none."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def bare_context() -> ssl.SSLContext:
    """Return an empty context, for connections without TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts the usual authorities, the machine's own store, and `ca_file`."""
    try:
        context = httpx.create_ssl_context(trust_env=False)
    except OSError:  # it also opens the file that SSLKEYLOGFILE names
        context = bare_context()
    context.load_default_certs()
    if ca_file:
        _trust(context, ca_file)
    return context


def _trust(context: ssl.SSLContext, ca_file: str) -> None:
    shown = one_line(ca_file, 200)
    try:
        context.load_verify_locations(cafile=Path(ca_file).expanduser())
    except FileNotFoundError:
        failure = f"There is no file {shown}"
    except ssl.SSLError:
        failure = f"{shown} holds no certificate in PEM form"
    except (OSError, ValueError, RuntimeError) as error:
        failure = f"{shown} cannot be read ({one_line(getattr(error, 'strerror', None) or str(error))})"
    else:
        return
    raise InputError(f"{failure}; set OllamaMagic.ca_file to your organisation's certificate.")


def missing_store(environ: Mapping[str, str]) -> str:
    """Return the name of a variable that points to missing certificates, or ""."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if environ.get(name) and not Path(environ[name]).exists():
            return name
    return ""
