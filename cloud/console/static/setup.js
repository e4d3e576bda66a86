"use strict";
// A set-up link has its secret behind the #, which no browser sends: it goes into its field,
// and out of the address, so that neither the history nor a copied address has it.

const secret = document.getElementById("secret");

if (location.hash.length > 1) {
  secret.value = location.hash.slice(1);
  secret.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("password").focus();
}
