"use strict";
// What happens is put on top of the list, as the server writes it.

const live = document.getElementById("live");
const list = document.getElementById("activities");
const [button, said] = [live.querySelector("button"), live.querySelector("[role=status]")];
let source;

function stop() {
  source.close();
  source = undefined;
  button.textContent = "Show new ones as they come";
  said.textContent = "";
}

button.addEventListener("click", () => {
  if (source) return stop();
  source = new EventSource(live.dataset.from);
  button.textContent = "Stop";
  said.textContent = "Waiting for what comes.";
  let count = 0;
  source.addEventListener("activity", (event) => {
    list.insertAdjacentHTML("afterbegin", event.data);
    document.querySelector(".empty")?.remove();
    said.textContent = ++count === 1 ? "1 new." : count + " new.";
    while (list.children.length > 500) list.lastElementChild.remove();
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    stop();
    said.textContent = "The server does not answer any more. Load the page again.";
  });
});
live.hidden = false;
