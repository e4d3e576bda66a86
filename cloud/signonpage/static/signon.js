"use strict";
// What makes signing on easier where scripts run; every page works without. It asks nobody
// and keeps nothing.

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

// Times are those of who reads them; that of UTC is there to be asked for.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" }).format(at);
}
