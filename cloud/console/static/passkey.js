"use strict";
// Passkeys, where the browser has them. Everything else works without scripts.

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

const ceremonies = {
  async get(button) {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await post("/console/sign-in/passkey/options"));
    const shown = await navigator.credentials.get({ publicKey });
    return post("/console/sign-in/passkey", { answer: shown.toJSON(), next: button.dataset.next });
  },
  async create() {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await post("/console/account/passkey/options"));
    const made = await navigator.credentials.create({ publicKey });
    const typed = (id) => document.getElementById(id).value;
    return post("/console/account/passkey", { answer: made.toJSON(), name: typed("passkey-name"), password: typed("passkey-password") });
  },
};

for (const button of document.querySelectorAll("button[data-passkey]")) {
  const said = document.getElementById("passkey-said");
  const here = button.dataset.at.split(" ").includes(location.origin);
  if (!here || !window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    const why = document.createElement("p");
    why.className = "help";
    why.textContent = here
      ? "This browser has no passkeys."
      : `Passkeys work where this console is opened by ${button.dataset.name}, and not at the address of this page.`;
    button.closest("[hidden]")?.before(why);
    continue;
  }
  button.closest("[hidden]")?.removeAttribute("hidden");
  button.addEventListener("click", async () => {
    said.textContent = "";
    button.disabled = true;
    try {
      location.assign((await ceremonies[button.dataset.passkey](button)).next);
    } catch (problem) {
      said.textContent = problem.name === "NotAllowedError" ? "No passkey was given." : problem.message;
      button.disabled = false;
    }
  });
}
