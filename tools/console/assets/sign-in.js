// Takes the token from the fragment of the link, and removes it from the address bar and the history.
"use strict";
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  const form = document.getElementById("sign-in");
  form.elements.token.value = token;
  form.submit();
}
