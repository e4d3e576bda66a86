# An application on authlib's client for Flask.
import os

import flask
from authlib.integrations.flask_client import OAuth

app = flask.Flask(__name__)
app.secret_key = "of a test"
kept = {"scope": "openid profile email groups"}
if os.environ.get("PKCE") != "none":
    kept["code_challenge_method"] = "S256"
oauth = OAuth(app)
oauth.register(
    "cloud",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs=kept,
)


@app.route("/ready")
def ready():
    return ""


@app.route("/")
def begin():
    return oauth.cloud.authorize_redirect(os.environ["REDIRECT"])


@app.route("/cb")
def end():
    return dict(oauth.cloud.authorize_access_token()["userinfo"])


app.run("localhost", int(os.environ["PORT"]), threaded=True)
