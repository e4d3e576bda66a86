"use strict";
// What makes signing on easier where scripts run; every page works without, but for passkeys. It asks
// no server and keeps nothing.

// The password can be shown, and caps lock is told of.
for (const field of document.querySelectorAll("input[data-show]")) {
  const [label, box, hint] = ["label", "input", "p"].map((name) => document.createElement(name));
  box.type = "checkbox";
  label.className = "show";
  label.append(box, " " + field.dataset.show);
  box.addEventListener("change", () => { field.type = box.checked ? "text" : "password"; });
  // A browser keeps what was typed into a field of text.
  field.form.addEventListener("submit", () => { field.type = "password"; });
  hint.className = "hint";
  hint.setAttribute("role", "status");
  for (const kind of ["keydown", "keyup"]) {
    field.addEventListener(kind, (event) => {
      const on = event.getModifierState && event.getModifierState("CapsLock");
      hint.textContent = on ? field.dataset.caps : "";
    });
  }
  field.addEventListener("blur", () => { hint.textContent = ""; });
  field.after(label, hint);
}

// A form that is under way says so when it takes long, and is sent once.
for (const form of document.querySelectorAll("form[data-wait]")) {
  const said = document.createElement("p");
  said.className = "hint";
  said.setAttribute("role", "status");
  form.append(said);
  let later;
  const rest = () => {
    clearTimeout(later);
    form.removeAttribute("aria-busy");
    said.textContent = "";
  };
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    later = setTimeout(() => { said.textContent = form.dataset.wait; }, 2000);
  });
  addEventListener("pageshow", rest); // also of a page that was come back to
}

// A passkey is shown or made where the browser can, at the origins that it is kept for; its answer goes with the
// form. Else the page says why not.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const place = form.closest("[hidden]");
  const here = form.dataset.at.split(" ").includes(location.origin);
  if (here && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    const said = document.createElement("p");
    said.className = "error";
    said.setAttribute("role", "alert");
    said.hidden = true;
    form.append(said);
    place.hidden = false;
    form.addEventListener("submit", async (event) => {
      const answer = form.elements.answer;
      if (answer.value) return;
      event.preventDefault();
      said.hidden = true;
      const options = JSON.parse(form.dataset.options);
      try {
        const given = form.dataset.passkey === "get"
          ? await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
          : await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
        answer.value = JSON.stringify(given.toJSON());
        form.requestSubmit();
      } catch {
        said.textContent = form.dataset.failed;
        said.hidden = false;
      }
    });
  } else {
    const why = document.createElement("p");
    why.className = "soft";
    why.textContent = here ? form.dataset.none : form.dataset.elsewhere;
    place.before(why);
  }
}

// Recovery codes are copied, one a line, and printed. Browsers copy at sites that have TLS alone.
for (const place of document.querySelectorAll("[data-codes]")) {
  const [copy, print, said] = place.children;
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(place.dataset.codes.trim().replaceAll(" ", "\n"));
    said.textContent = place.dataset.copied;
  });
  print.addEventListener("click", () => window.print());
  place.hidden = false;
}

// Times are those of who reads them; that of UTC is there to be asked for.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" }).format(at);
}
