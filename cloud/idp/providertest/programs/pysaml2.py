"""A SAML provider on loopback, by pysaml2 and xmlsec1.

People and how to answer are in people.json and answer.json, what we are in sp.xml;
all are read at each request.
"""
import base64
import html
import json
import os
import re
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA1, DIGEST_SHA256, SIG_RSA_SHA1, SIG_RSA_SHA256

PORT = int(os.environ["PORT"])
BASE = "http://127.0.0.1:%d" % PORT
FORMATS = {
    "persistent": saml.NAMEID_FORMAT_PERSISTENT,
    "transient": saml.NAMEID_FORMAT_TRANSIENT,
    "email": saml.NAMEID_FORMAT_EMAILADDRESS,
}


def load(name):
    with open(name) as f:
        return json.load(f)


def server(number=1):
    config = {
        "entityid": BASE + "/metadata",
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "key_file": "key%d.pem" % number,
        "cert_file": "cert%d.pem" % number,
        "additional_cert_files": [],
        "encryption_keypairs": [],
        "service": {"idp": {
            "name": "pysaml2",
            "endpoints": {"single_sign_on_service": [
                (BASE + "/sso/redirect", BINDING_HTTP_REDIRECT),
                (BASE + "/sso/post", BINDING_HTTP_POST),
            ]},
            "policy": {"default": {
                "lifetime": {"minutes": 10},
                "attribute_restrictions": None,
                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
            }},
            "want_authn_requests_signed": load("answer.json").get("wantSigned", False),
            "name_id_format": list(FORMATS.values()),
        }},
    }
    if os.path.exists("sp.xml"):
        config["metadata"] = {"local": ["sp.xml"]}
    return Server(config=IdPConfig().load(config))


def metadata():
    """Both certificates are published while keys roll over; certs in answer.json says which."""
    text = str(entity_descriptor(server(1).config))
    start = text.index("<ns0:KeyDescriptor")
    end = text.index("</ns0:KeyDescriptor>") + len("</ns0:KeyDescriptor>")
    blocks = ""
    for number in load("answer.json").get("certs", [1]):
        with open("cert%d.pem" % number) as f:
            pem = "".join(line for line in f.read().splitlines() if "CERT" not in line)
        blocks += re.sub(r"(X509Certificate>)[^<]*(<)", lambda m: m.group(1) + pem + m.group(2), text[start:end])
    return text[:start] + blocks + text[end:]


def name_id(how, user, sp):
    kind = how.get("nameid", "persistent")
    value = {"transient": "_" + os.urandom(16).hex(), "email": user + "@example.org"}.get(kind, "p-" + user)
    if kind != "persistent":
        return saml.NameID(format=FORMATS[kind], text=value)
    return saml.NameID(format=FORMATS[kind], text=value, sp_name_qualifier=sp, name_qualifier=BASE + "/metadata")


def answer(request, user, relay):
    how = load("answer.json")
    provider = server(how.get("cert", 1))
    args = provider.response_args(request.message, [BINDING_HTTP_POST])
    sign, old = how.get("sign", "assertion"), how.get("alg") == "sha1"
    response = provider.create_authn_response(
        load("people.json").get(user, {}), args["in_response_to"], args["destination"],
        sp_entity_id=args["sp_entity_id"], name_id=name_id(how, user, args["sp_entity_id"]),
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT},
        sign_assertion=sign in ("assertion", "both"), sign_response=sign in ("response", "both"),
        encrypt_assertion=bool(how.get("encrypt")), encrypted_advice_attributes=False,
        sign_alg=SIG_RSA_SHA1 if old else SIG_RSA_SHA256, digest_alg=DIGEST_SHA1 if old else DIGEST_SHA256,
    )
    return '<form method="post" action="%s"><input name="SAMLResponse" value="%s"><input name="RelayState" value="%s"></form>' % (
        html.escape(args["destination"], True),
        base64.b64encode(str(response).encode()).decode(),
        html.escape(relay, True),
    )


def app(env, start):
    def say(status, body, kind="text/html; charset=utf-8"):
        start(status, [("Content-Type", kind)])
        return [body.encode()]

    path = env["PATH_INFO"]
    query = env.get("QUERY_STRING", "")
    if env["REQUEST_METHOD"] == "POST":
        query += "&" + env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0)).decode()
    q = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    try:
        if path == "/metadata":
            return say("200 OK", metadata(), "application/samlmetadata+xml")
        if path.startswith("/sso/"):
            binding = BINDING_HTTP_REDIRECT if path == "/sso/redirect" else BINDING_HTTP_POST
            request = server().parse_authn_request(q["SAMLRequest"], binding)
            return say("200 OK", answer(request, q["user"], q.get("RelayState", "")))
        return say("404 Not Found", "nothing here")
    except Exception as e:  # the test sees what it was
        import traceback
        traceback.print_exc()
        return say("500 Internal Server Error", html.escape(repr(e)))


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


print("ready", flush=True)
make_server("127.0.0.1", PORT, app, handler_class=Quiet).serve_forever()
