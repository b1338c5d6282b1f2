"""Creates List-Unsubscribe headers, as `postroomctl unsubscribe-link` does."""

import base64
import hashlib
import hmac
from urllib.parse import quote


def unsubscribe_token(key, address, tenant=None, domain=None, contact_list=None, topic=None):
    """Signs a token with `key`, the text of the stack's unsubscribe secret.

    Without tenant and domain the recipient unsubscribes in the global scope.
    """
    scope = f"t{tenant}" if tenant else f"d{domain}" if domain else "g"
    fields = [scope, address.strip()] + [contact_list] * bool(contact_list) + [topic] * bool(contact_list and topic)
    payload = "\0".join(fields).encode()
    code = hmac.new(key.strip().encode(), b"postroom-unsubscribe:1:" + payload, hashlib.sha256).digest()[:10]
    return "1" + base64.b32encode(payload + code).decode().rstrip("=").lower()


def unsubscribe_headers(token, mailbox, url=None):
    """The headers of a mail to one recipient.

    `mailbox` is the address of the mailbox with the unsubscribe action, `url` contains {token}.
    """
    local, _, domain = mailbox.rpartition("@")
    if len(local) + 1 + len(token) <= 64:  # the maximum length of a local part (RFC 5321)
        mailto = f"mailto:{quote(local)}+{token}@{domain}?subject=unsubscribe"
    else:
        mailto = f"mailto:{quote(local)}@{domain}?subject=unsubscribe%20{token}"
    if not url:
        return {"List-Unsubscribe": f"<{mailto}>"}
    return {
        "List-Unsubscribe": f"<{mailto}>, <{url.replace('{token}', token)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
