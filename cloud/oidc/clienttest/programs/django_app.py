# An application on Django with python-social-auth, with the lines of a preset.
import os
import sys
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

lines = {}
exec(open("lines").read(), lines)
settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="application",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "social_django"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "people.sqlite"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SOCIAL_AUTH_LOGIN_REDIRECT_URL="/",
    SOCIAL_AUTH_OIDC_EXTRA_DATA=["groups"],
    **{name: value for name, value in lines.items() if name.isupper()},
)
django.setup()


def show(request):
    if not request.user.is_authenticated:
        return redirect("/login/oidc/")
    kept = request.user.social_auth.get()
    return JsonResponse({
        "sub": kept.uid,
        "name": request.user.first_name + " " + request.user.last_name,
        "groups": kept.extra_data["groups"],
    })


urlpatterns = [
    path("", show),
    path("ready", lambda request: HttpResponse()),
    path("", include("social_django.urls", namespace="social")),
]

sys.modules["application"] = sys.modules["__main__"]
call_command("migrate", verbosity=0)
make_server("localhost", int(os.environ["PORT"]), get_wsgi_application()).serve_forever()
