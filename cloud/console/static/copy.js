"use strict";
// Each text that is to be entered elsewhere gets a button that copies it. Without scripts
// a click marks all of it.

function mark(text) {
  const range = document.createRange();
  range.selectNodeContents(text);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

for (const text of document.querySelectorAll("dd.take, pre.take")) {
  const kind = text.tagName === "PRE" ? "div" : "dd";
  const [button, said, place] = ["button", "span", kind].map((name) => document.createElement(name));
  button.type = "button";
  button.className = "plain";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy: " + (text.dataset.name ?? text.parentElement.querySelector("dt").textContent));
  said.setAttribute("role", "status");
  said.className = "muted";
  button.addEventListener("click", async () => {
    said.textContent = "";
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = " Copied.";
    } catch {
      mark(text); // the browser allows it over TLS alone, and not everywhere
      said.textContent = " Marked: copy it by the keyboard.";
    }
  });
  place.append(button, said);
  text.after(place);
}
