// Adds copy buttons: the pages work without this script.

/** Announces to screen readers what was copied. */
const status = document.createElement("p");
status.className = "unseen";
status.setAttribute("role", "status");

/** Returns a button that copies the text of `source`, which `data-copy` names. */
function copyButton(source) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  const shown = document.createElement("span");
  shown.textContent = "Copy";
  const what = document.createElement("span");
  what.className = "unseen";
  what.textContent = ` ${source.dataset.copy}`;
  button.append(shown, what);
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(source.textContent).then(() => true, () => false);
    shown.textContent = copied ? "Copied" : "Not copied";
    status.textContent = `${shown.textContent} ${source.dataset.copy}`;
    setTimeout(() => { shown.textContent = "Copy"; }, 2000);
  });
  return button;
}

// Browsers give no clipboard to pages without TLS, unless they are on a loopback address.
if (navigator.clipboard) {
  for (const source of document.querySelectorAll("[data-copy]")) source.after(copyButton(source));
  document.querySelector("main").append(status);
}
