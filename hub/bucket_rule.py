"""The bucket's own rule that pictures go after so many days: it holds even when no hub runs. Set at the start; the bucket's other rules
stay.

obstore speaks of objects alone, so this is the one request that we sign ourselves: AWS Signature Version 4
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import xml.etree.ElementTree as ET
from datetime import datetime

import httpx

from hub.snapshot_store import Bucket, SnapshotsAway

RULE = "regulars-snapshots"
SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
TIMEOUT_S = 10.0
REGION = "us-east-1"


def set_rule(bucket: Bucket, days: int, now: datetime) -> bool:
    """Whether the bucket has the rule now. False where there are no keys to sign with (an instance's role): set it by hand, or leave it to
    the daily job. Raises SnapshotsAway."""
    if not _keys(bucket):
        return False
    there = _ask(bucket, "GET", b"", now)
    if there.status_code not in (200, 404):
        raise SnapshotsAway(f"The bucket does not tell its rules (status {there.status_code}). May the hub's key read them?")
    wanted = with_rule(there.content if there.status_code == 200 else b"", bucket.prefix, days)
    done = _ask(bucket, "PUT", wanted, now)
    if done.status_code != 200:
        raise SnapshotsAway(f"The bucket does not take the rule that pictures go after {days} days (status {done.status_code}).")
    return True


def with_rule(there: bytes, prefix: str, days: int) -> bytes:
    """The bucket's rules, with ours in the place of an older one of ours."""
    ET.register_namespace("", SPACE)
    rules = ET.Element(f"{{{SPACE}}}LifecycleConfiguration")
    if there:
        try:
            found = ET.fromstring(there)
        except ET.ParseError:
            raise SnapshotsAway("The bucket's rules cannot be read.") from None
        rules.extend(rule for rule in found if rule.findtext("{*}ID") != RULE)
    ours = ET.SubElement(rules, f"{{{SPACE}}}Rule")
    ET.SubElement(ours, f"{{{SPACE}}}ID").text = RULE
    ET.SubElement(ET.SubElement(ours, f"{{{SPACE}}}Filter"), f"{{{SPACE}}}Prefix").text = f"{prefix}/" if prefix else ""
    ET.SubElement(ours, f"{{{SPACE}}}Status").text = "Enabled"
    ET.SubElement(ET.SubElement(ours, f"{{{SPACE}}}Expiration"), f"{{{SPACE}}}Days").text = str(days)
    return ET.tostring(rules)


def _keys(bucket: Bucket) -> tuple[str, str, str] | None:
    """Key id, secret, and the token of a temporary key."""
    if bucket.access_key_id:
        return bucket.access_key_id, bucket.secret_access_key, ""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    key_id, secret, token = (os.environ.get(name, "") for name in names)
    return (key_id, secret, token) if key_id and secret else None


def _ask(bucket: Bucket, method: str, body: bytes, now: datetime) -> httpx.Response:
    keys = _keys(bucket)
    assert keys is not None
    key_id, secret, token = keys
    region = bucket.region or os.environ.get("AWS_REGION", REGION)
    url = httpx.URL(f"{bucket.endpoint}/{bucket.name}" if bucket.endpoint else f"https://{bucket.name}.s3.{region}.amazonaws.com/")
    headers = {
        "content-md5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
        "host": url.netloc.decode(),
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
        **({"x-amz-security-token": token} if token else {}),
    }
    headers["authorization"] = signature(method, url.path, "lifecycle=", headers, key_id, secret, region, now)
    try:
        return httpx.request(method, url.copy_with(query=b"lifecycle="), content=body, headers=headers, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        raise SnapshotsAway(f"The bucket does not answer ({type(error).__name__}).") from None


def signature(method: str, path: str, query: str, headers: dict[str, str], key_id: str, secret: str, region: str, now: datetime) -> str:
    """The header `authorization`. All `headers` are signed; they hold host, x-amz-date and x-amz-content-sha256."""
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    request = "\n".join((method, path, query, lines, signed, headers["x-amz-content-sha256"]))
    scope = f"{now:%Y%m%d}/{region}/s3/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    mark = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
    return f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={mark}"
