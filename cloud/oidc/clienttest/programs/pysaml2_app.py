# An application on pysaml2, as its documentation has it.
import os

import flask
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig

own = os.environ["URL"]
app = flask.Flask(__name__)
sha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
digest = "http://www.w3.org/2001/04/xmlenc#sha256"
client = Saml2Client(config=SPConfig().load({
    "entityid": own,
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "key_file": "sp.key",
    "cert_file": "sp.crt",
    "encryption_keypairs": [{"key_file": "sp.key", "cert_file": "sp.crt"}],
    "metadata": {"local": ["idp.xml"]},
    "allow_unknown_attributes": True,
    "signing_algorithm": sha256,
    "digest_algorithm": digest,
    "service": {"sp": {
        "endpoints": {
            "assertion_consumer_service": [(os.environ["REDIRECT"], BINDING_HTTP_POST)],
            "single_logout_service": [(own + "/slo", BINDING_HTTP_REDIRECT)],
        },
        "authn_requests_signed": True,
        "logout_requests_signed": True,
        "want_assertions_signed": True,
        "want_response_signed": False,
        "allow_unsolicited": False,
    }},
}))
pending, who = {}, {}


@app.route("/ready")
def ready():
    return ""


@app.route("/")
def begin():
    binding = BINDING_HTTP_POST if os.environ.get("BINDING") == "HTTP-POST" else BINDING_HTTP_REDIRECT
    request, info = client.prepare_for_authenticate(
        relay_state="deep", binding=binding, sign=True, sigalg=sha256, digest_alg=digest)
    pending[request] = "/"
    if binding == BINDING_HTTP_POST:
        return flask.Response(info["data"], content_type="text/html")
    return flask.redirect(dict(info["headers"])["Location"])


@app.route("/acs", methods=["POST"])
def end():
    answer = client.parse_authn_request_response(flask.request.form["SAMLResponse"], BINDING_HTTP_POST, pending)
    who["id"] = answer.name_id
    return {
        "nameId": answer.name_id.text,
        "groups": len(answer.ava.get("groups", [])),
        "email": answer.ava.get("email", [""])[0],
    }


@app.route("/off")
def off():
    for _, (binding, info) in client.global_logout(who["id"], sign=True, sign_alg=sha256).items():
        return flask.redirect(dict(info["headers"])["Location"])


@app.route("/slo")
def slo():
    said = flask.request.args
    if "SAMLResponse" in said:
        answer = client.parse_logout_request_response(said["SAMLResponse"], BINDING_HTTP_REDIRECT)
        return {"bye": answer.status_ok()}
    info = client.handle_logout_request(
        said["SAMLRequest"], who["id"], BINDING_HTTP_REDIRECT, relay_state=said.get("RelayState"),
        sign=True, sign_alg=sha256)
    return flask.redirect(dict(info["headers"])["Location"])


app.run("localhost", int(os.environ["PORT"]), threaded=True)
