#!/usr/bin/env python3
"""usage: cloud_server.py FILE KEY_PEM CERTIFICATE_PEM

Stands in for the object storage of Tencent (COS), Aliyun (ALIYUNOSS), Huawei (OBS), Baidu (BOS) and Oracle (OCI)
in tests, as their documentation describes it. Each listens on a port of 127.0.0.1 of its own; FILE gets a
line "NAME PORT" for each. Checks every signature by rules that are written here, apart from those of the client.
Every bucket whose name starts with "bucket-" is there. Ends with its standard input.

KEY_PEM (PKCS #1) is the key of the user of OCI and of the machine whose certificate CERTIFICATE_PEM is.
"""
import base64
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

KEY_ID, SECRET = "test-key", "test-secret"
OCI_KEY_ID = "ocid1.tenancy.oc1..test/ocid1.user.oc1..test/20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34"
OCI_TENANCY = "ocid1.tenancy.oc1..machine"
SUBRESOURCES = {"uploads", "uploadId", "partNumber", "acl", "location", "objectMeta"}
LOCK = threading.Lock()


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~", errors="surrogateescape")


def hmac_of(kind, key, text):
    return hmac.new(key.encode(), text.encode(errors="surrogateescape"), kind)


class Refused(Exception):
    """An error of the store: status, code, message."""


def read_der(data, offset=0):
    """The tag, the content and the end of the DER element at the offset."""
    tag, length, offset = data[offset], data[offset + 1], offset + 2
    if length & 0x80:
        count = length & 0x7F
        length, offset = int.from_bytes(data[offset:offset + count], "big"), offset + count
    return tag, data[offset:offset + length], offset + length


def pem_bytes(path):
    with open(path) as file:
        return base64.b64decode("".join(line for line in file.read().split("\n") if not line.startswith("-")))


def first_two_integers(content, skip):
    numbers, offset = [], 0
    for _ in range(skip + 2):
        _, value, offset = read_der(content, offset)
        numbers.append(int.from_bytes(value, "big"))
    return numbers[skip], numbers[skip + 1]


def public_of_private(der):
    return first_two_integers(read_der(der)[1], 1)


def public_of_public(der):
    content = read_der(der)[1]
    _, bits, _ = read_der(content, read_der(content)[2])
    return first_two_integers(read_der(bits[1:])[1], 0)


def is_signed_by(public, text, signature):
    modulus, exponent = public
    size = (modulus.bit_length() + 7) // 8
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    block = prefix + hashlib.sha256(text.encode(errors="surrogateescape")).digest()
    padded = b"\0\1" + b"\xff" * (size - len(block) - 3) + b"\0" + block
    return pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == padded


class Bucket:
    def __init__(self):
        self.objects, self.uploads, self.count = {}, {}, 0

    def put(self, name, data):
        self.count += 1
        etag = '"%s-%d"' % (hashlib.md5(data).hexdigest(), self.count)
        self.objects[name] = (data, etag, time.time())
        return etag

    def begin(self, name):
        self.count += 1
        self.uploads["id/+= %d" % self.count] = (name, {})
        return "id/+= %d" % self.count

    def find_upload(self, name, upload_id):
        if self.uploads.get(upload_id, ("",))[0] != name:
            raise Refused(404, "NoSuchUpload", upload_id)
        return self.uploads[upload_id][1]

    def complete(self, name, upload_id, listed):
        parts = self.find_upload(name, upload_id)
        if [number for number, _ in listed] != sorted(parts) or any(
                parts[number][1].strip('"') != etag.strip('"') for number, etag in listed):
            raise Refused(400, "InvalidPart", "the list of parts is wrong")
        del self.uploads[upload_id]
        return self.put(name, b"".join(parts[number][0] for number, _ in listed))

    def entries(self, prefix, delimiter):
        """Names in order, None with those of directories."""
        seen = None
        for name in sorted(self.objects, key=lambda n: n.encode(errors="surrogateescape")):
            if not name.startswith(prefix):
                continue
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                yield name, self.objects[name]
            elif name[:end + 1] != seen:
                seen = name[:end + 1]
                yield seen, None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=(), length=None):
        body = body.encode(errors="surrogateescape") if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        raw_path, _, raw_query = self.path.partition("?")
        self.raw_path = raw_path
        self.decoded_path = urllib.parse.unquote(raw_path, errors="surrogateescape")
        pairs = [pair.partition("=") for pair in raw_query.split("&") if pair]
        self.query = {urllib.parse.unquote_plus(name): urllib.parse.unquote_plus(value, errors="surrogateescape")
                      for name, _, value in pairs}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            with LOCK:
                self.route()
        except Refused as error:
            status, code, message = error.args
            self.answer(status, self.error_body(code, message))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def check_md5(self):
        given = self.headers.get("Content-MD5")
        if given and base64.b64decode(given) != hashlib.md5(self.body).digest():
            raise Refused(400, "BadDigest", "the body has another digest")

    def bucket_of(self, name):
        if not name.startswith("bucket-"):
            raise Refused(404, "NoSuchBucket", name)
        return self.server.buckets.setdefault(name, Bucket())

    def object_of(self, bucket, name):
        if name not in bucket.objects:
            raise Refused(404, "NoSuchKey", name)
        return bucket.objects[name]

    def send_object(self, bucket, name):
        data, etag, modified = self.object_of(bucket, name)
        headers = [("ETag", etag), ("Last-Modified", email.utils.formatdate(modified, usegmt=True))]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if self.command == "HEAD" or not wanted:
            return self.answer(200, data, headers)
        first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
        if not self.range_is_standard() and (first >= len(data) or last >= len(data)):
            return self.answer(200, data, headers)
        if first >= len(data):
            raise Refused(416, "InvalidRange", "the range is behind the end")
        return self.answer(206, data[first:last + 1], headers)

    def range_is_standard(self):
        return True


class S3Handler(Handler):
    """Answers in XML; the bucket is the first part of the host."""

    def error_body(self, code, message):
        return "<?xml version='1.0'?><Error><Code>%s</Code><Message>%s</Message><Resource/><RequestId>1</RequestId>" \
            "<TraceId>1</TraceId></Error>" % (code, escape(message))

    def route(self):
        self.bucket_name = self.headers["Host"].split(".")[0]
        self.name = self.decoded_path[1:]
        if not self.is_authentic():
            raise Refused(403, "SignatureDoesNotMatch", "the signature is another")
        self.act(self.bucket_of(self.bucket_name))

    def act(self, bucket):
        name, query, method = self.name, self.query, self.command
        if not name:
            return self.list_objects(bucket)
        if method in ("GET", "HEAD"):
            return self.send_object(bucket, name)
        self.check_md5()
        if method == "PUT" and "uploadId" in query:
            part = (self.body, '"%s"' % hashlib.md5(self.body).hexdigest())
            bucket.find_upload(name, query["uploadId"])[int(query["partNumber"])] = part
            return self.answer(200, headers=[("ETag", part[1])])
        if method == "PUT":
            return self.answer(200, headers=[("ETag", bucket.put(name, self.body))])
        if method == "POST" and "uploads" in query:
            return self.answer(200, self.begun(bucket.begin(name)))
        if method == "POST":
            return self.answer(200, self.completed(bucket.complete(name, query["uploadId"], self.listed_parts())))
        if "uploadId" in query:
            bucket.find_upload(name, query["uploadId"])
            del bucket.uploads[query["uploadId"]]
        elif name not in bucket.objects and self.delete_needs_object:
            raise Refused(404, "NoSuchKey", name)
        else:
            bucket.objects.pop(name, None)
        return self.answer(204)

    delete_needs_object = False
    size_parameter = "max-keys"

    def list_objects(self, bucket):
        prefix, marker = self.query.get("prefix", ""), self.query.get("marker", "")
        limit = int(self.query.get(self.size_parameter, "1000"))
        entries = [entry for entry in bucket.entries(prefix, self.query.get("delimiter", ""))
                   if entry[0].encode(errors="surrogateescape") > marker.encode(errors="surrogateescape")]
        self.answer(200, self.listing(entries[:limit], entries[limit - 1][0] if len(entries) > limit else None))

    def listing(self, entries, next_marker):
        encode = quote if self.query.get("encoding-type") == "url" else escape
        body = "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>"
        if encode is quote:
            body += "<EncodingType>url</EncodingType>"
        body += "<IsTruncated>%s</IsTruncated>" % ("false" if next_marker is None else "true")
        if next_marker is not None:
            body += "<NextMarker>%s</NextMarker>" % encode(next_marker)
        for name, found in entries:
            if found is None:
                body += "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>" % encode(name)
                continue
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(found[2]))
            body += "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag>" % (
                encode(name), stamp, escape(found[1]))
            body += "<Type>Normal</Type><Size>%d</Size><StorageClass>Standard</StorageClass></Contents>" % len(found[0])
        return body + "</ListBucketResult>"

    def begun(self, upload_id):
        return "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>" % upload_id

    def completed(self, etag):
        return "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>" % escape(etag)

    def listed_parts(self):
        found = re.findall(r"<PartNumber>(\d+)</PartNumber>\s*<ETag>(.*?)</ETag>", self.body.decode())
        return [(int(number), etag.replace("&quot;", '"')) for number, etag in found]

    def resource_signature(self, scheme, prefix, path):
        """Of OSS and OBS."""
        own = sorted((name.lower(), value.strip()) for name, value in self.headers.items()
                     if name.lower().startswith(prefix))
        named = sorted((name, value) for name, value in self.query.items() if name in SUBRESOURCES)
        resource = "/%s%s" % (self.bucket_name, path)
        resource += "?" * bool(named) + "&".join(name + ("=" + value if value else "") for name, value in named)
        text = "\n".join([self.command] + [self.headers.get(name) or "" for name in (
            "Content-MD5", "Content-Type", "Date")]) + "\n"
        text += "".join("%s:%s\n" % pair for pair in own) + resource
        signature = base64.b64encode(hmac_of("sha1", SECRET, text).digest()).decode()
        return "%s %s:%s" % (scheme, KEY_ID, signature) == self.headers.get("Authorization")


class OssHandler(S3Handler):
    def is_authentic(self):
        return self.resource_signature("OSS", "x-oss-", self.decoded_path)

    def range_is_standard(self):
        return self.headers.get("x-oss-range-behavior") == "standard"


class ObsHandler(S3Handler):
    def is_authentic(self):
        return self.resource_signature("OBS", "x-obs-", self.raw_path)


class CosHandler(S3Handler):
    def is_authentic(self):
        given = dict(part.split("=", 1) for part in (self.headers.get("Authorization") or "").split("&") if "=" in part)
        header_names = given.get("q-header-list", "").split(";")
        query = {quote(name).lower(): quote(value) for name, value in self.query.items()}
        headers = "&".join("%s=%s" % (name, quote(self.headers.get(name) or "")) for name in header_names)
        params = "&".join("%s=%s" % (name, query[name]) for name in sorted(query))
        start, end = (given.get("q-sign-time", "0;0") + ";").split(";")[:2]
        if not int(start) <= time.time() <= int(end) or "host" not in header_names or given.get("q-ak") != KEY_ID:
            return False
        if given["q-url-param-list"] != ";".join(sorted(query)) or header_names != sorted(header_names):
            return False
        text = "%s\n%s\n%s\n%s\n" % (self.command.lower(), self.decoded_path, params, headers)
        digest = hashlib.sha1(text.encode(errors="surrogateescape")).hexdigest()
        key = hmac_of("sha1", SECRET, given["q-key-time"]).hexdigest()
        to_sign = "sha1\n%s\n%s\n" % (given["q-sign-time"], digest)
        return hmac_of("sha1", key, to_sign).hexdigest() == given["q-signature"]


class BosHandler(S3Handler):
    """Answers in JSON; the bucket is the first part of the path."""
    delete_needs_object = True
    size_parameter = "maxKeys"

    def error_body(self, code, message):
        return json.dumps({"code": code, "message": message, "requestId": "1"})

    def route(self):
        _, self.bucket_name, *rest = self.decoded_path.split("/", 2)
        self.name = rest[0] if rest else ""
        if not self.is_authentic():
            raise Refused(403, "SignatureDoesNotMatch", "the signature is another")
        self.act(self.bucket_of(self.bucket_name))

    def is_authentic(self):
        parts = (self.headers.get("Authorization") or "").split("/")
        if len(parts) != 6 or parts[:2] != ["bce-auth-v1", KEY_ID]:
            return False
        # Without a list, these; "host" is one of them in any case.
        names = [name.lower() for name in self.headers if name.lower().startswith("x-bce-")]
        names += [name for name in ("host", "content-length", "content-md5", "content-type") if self.headers.get(name)]
        names = parts[4].split(";") if parts[4] else names
        if "host" not in names:
            return False
        lines = ["%s:%s" % (quote(name), quote((self.headers.get(name) or "").strip())) for name in names]
        query = "&".join(sorted("%s=%s" % (quote(name), quote(value)) for name, value in self.query.items()))
        text = "\n".join([self.command, quote(self.decoded_path, "/"), query, "\n".join(sorted(lines))])
        key = hmac_of("sha256", SECRET, "/".join(parts[:4])).hexdigest()
        return hmac_of("sha256", key, text).hexdigest() == parts[5]

    def listing(self, entries, next_marker):
        return json.dumps({
            "isTruncated": next_marker is not None, "nextMarker": next_marker or "",
            "contents": [{"key": name, "size": len(found[0]), "eTag": found[1].strip('"'),
                          "lastModified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found[2]))}
                         for name, found in entries if found],
            "commonPrefixes": [{"prefix": name} for name, found in entries if not found]}, ensure_ascii=False)

    def begun(self, upload_id):
        return json.dumps({"bucket": self.bucket_name, "key": self.name, "uploadId": upload_id})

    def completed(self, etag):
        return json.dumps({"bucket": self.bucket_name, "key": self.name, "eTag": etag.strip('"')})

    def listed_parts(self):
        return [(part["partNumber"], part["eTag"]) for part in json.loads(self.body)["parts"]]


class OciHandler(Handler):
    """The storage, the authentication service, the metadata of a machine and the tokens of a cluster."""
    tokens = {}

    def error_body(self, code, message):
        return json.dumps({"code": code, "message": message})

    def route(self):
        if self.raw_path.startswith("/opc/v2/"):
            return self.metadata(self.raw_path[len("/opc/v2/"):])
        if self.raw_path == "/resourcePrincipalSessionTokens":
            if self.headers.get("Authorization") != "Bearer pod-token":
                raise Refused(403, "Forbidden", "the account is another")
            token = self.new_token(json.loads(self.body)["podKey"])
            inner = json.dumps({"token": "ST$" + token}).encode()
            return self.answer(200, json.dumps(base64.b64encode(inner).decode()))
        if self.raw_path == "/v1/x509":
            self.check_signature({self.machine_id(): self.server.public}, "date (request-target)")
            return self.answer(200, json.dumps({"token": self.new_token(json.loads(self.body)["publicKey"])}))
        keys = {OCI_KEY_ID: self.server.public}
        keys.update({"ST$" + token: public for token, public in self.tokens.items()})
        self.check_signature(keys, "date (request-target) host")
        if self.raw_path == "/n":
            return self.answer(200, '"test-namespace"')
        found = re.fullmatch("/n/test-namespace/b/([^/]*)/([ou])(?:/(.*))?", self.decoded_path, re.DOTALL)
        if not found:
            raise Refused(404, "NotAuthorizedOrNotFound", self.decoded_path)
        return self.act(self.bucket_of(found[1]), found[2], found[3])

    def machine_id(self):
        digest = hashlib.sha256(self.server.certificate).hexdigest()
        return "%s/fed-x509-sha256/%s" % (OCI_TENANCY, ":".join(re.findall("..", digest)))

    def new_token(self, public_key):
        claims = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time()) + 3600}).encode()).decode()
        token = "e30.%s.%d" % (claims.rstrip("="), len(self.tokens))
        self.tokens[token] = public_of_public(base64.b64decode(public_key))
        return token

    def metadata(self, path):
        if self.headers.get("Authorization") != "Bearer Oracle":
            raise Refused(404, "NotFound", path)
        if path == "instance/regionInfo":
            return self.answer(200, json.dumps({"realmKey": "oc1", "realmDomainComponent": "oraclecloud.com",
                                                "regionKey": "FRA", "regionIdentifier": "eu-frankfurt-1"}))
        files = {"identity/cert.pem": 3, "identity/intermediate.pem": 3, "identity/key.pem": 2}
        with open(sys.argv[files[path]], "rb") as file:
            return self.answer(200, file.read())

    def check_signature(self, keys, names):
        given = dict(re.findall(r'(\w+)="([^"]*)"', self.headers.get("Authorization") or ""))
        whole = names + " content-length content-type x-content-sha256"
        needed = self.command == "POST" or (self.command == "PUT" and given.get("headers") == whole)
        if given.get("headers") != (whole if needed else names) or given.get("keyId") not in keys:
            raise Refused(401, "NotAuthenticated", "the key or what is signed is another")
        if needed and base64.b64decode(self.headers["x-content-sha256"]) != hashlib.sha256(self.body).digest():
            raise Refused(401, "NotAuthenticated", "the body is another")
        lines = ["%s: %s" % (name, "%s %s" % (self.command.lower(), self.path) if name == "(request-target)"
                             else self.headers.get(name)) for name in given["headers"].split(" ")]
        if not is_signed_by(keys[given["keyId"]], "\n".join(lines), base64.b64decode(given["signature"])):
            raise Refused(401, "NotAuthenticated", "the signature is another")

    def bucket_of(self, name):
        if not name.startswith("bucket-"):
            raise Refused(404, "BucketNotFound", name)
        return self.server.buckets.setdefault(name, Bucket())

    def check_conditions(self, bucket, name):
        old = bucket.objects.get(name)
        if self.headers.get("If-None-Match") == "*" and old:
            raise Refused(412, "IfNoneMatchFailed", name)
        if self.headers.get("If-Match") and (not old or old[1] != self.headers["If-Match"]):
            raise Refused(412 if old else 404, "IfMatchFailed" if old else "ObjectNotFound", name)

    def act(self, bucket, kind, name):
        query, method = self.query, self.command
        if kind == "u" and not name:
            return self.answer(200, json.dumps({"uploadId": bucket.begin(json.loads(self.body)["object"])}))
        if not name:
            return self.list_objects(bucket)
        if method in ("GET", "HEAD"):
            return self.send_object(bucket, name)
        self.check_md5()
        if kind == "u" and method == "PUT":
            part = (self.body, hashlib.md5(self.body).hexdigest())
            bucket.find_upload(name, query["uploadId"])[int(query["uploadPartNum"])] = part
            return self.answer(200, headers=[("ETag", part[1])])
        if method in ("PUT", "POST"):
            self.check_conditions(bucket, name)
        if kind == "u" and method == "POST":
            listed = [(part["partNum"], part["etag"]) for part in json.loads(self.body)["partsToCommit"]]
            return self.answer(200, headers=[("ETag", bucket.complete(name, query["uploadId"], listed))])
        if kind == "u":
            bucket.find_upload(name, query["uploadId"])
            del bucket.uploads[query["uploadId"]]
            return self.answer(204)
        if method == "PUT":
            return self.answer(200, headers=[("ETag", bucket.put(name, self.body))])
        if name not in bucket.objects:
            raise Refused(404, "ObjectNotFound", name)
        del bucket.objects[name]
        return self.answer(204)

    def list_objects(self, bucket):
        start = self.query.get("start", "").encode(errors="surrogateescape")
        limit = int(self.query.get("limit", "1000"))
        entries = [entry for entry in bucket.entries(self.query.get("prefix", ""), self.query.get("delimiter", ""))
                   if entry[0].encode(errors="surrogateescape") >= start]
        body = {"objects": [{"name": name, "size": len(found[0]), "timeModified":
                             time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(found[2]))}
                            for name, found in entries[:limit] if found],
                "prefixes": [name for name, found in entries[:limit] if not found]}
        if len(entries) > limit:
            body["nextStartWith"] = entries[limit][0]
        self.answer(200, json.dumps(body, ensure_ascii=False))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    lines = ""
    for name, handler in (("COS", CosHandler), ("ALIYUNOSS", OssHandler), ("OBS", ObsHandler), ("BOS", BosHandler),
                          ("OCI", OciHandler)):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.buckets = {}
        server.public = public_of_private(pem_bytes(sys.argv[2]))
        server.certificate = pem_bytes(sys.argv[3])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lines += "%s %d\n" % (name, server.server_address[1])
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(lines)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    sys.stdin.read()


main()
