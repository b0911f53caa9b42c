import { keepMended, name, scrollable } from "./mending.js";

const page = document.getElementById("page");
const dark = matchMedia("(prefers-color-scheme: dark)");

function operation(element) {
  return element.closest(".opblock").querySelector("[data-path]").dataset.path;
}

function mend() {
  name(page, "tr[data-param-name] :is(input, select, textarea)", (field) =>
    field.closest("tr").dataset.paramName,
  );
  name(page, ".examples-select-element", (select) => `Examples of ${operation(select)}`);
  name(page, ".body-param__text", (text) => `Body of ${operation(text)}`);
  name(page, "table[role=region]", (table) => `Responses of ${operation(table)}`);
  name(page, ".modal-ux", () => "Available authorizations");
  name(page, ".close-modal", () => "Close");
  name(page, ".model-box-control:not(:has(.model-title, .model-title__text))", () => "Details");
  scrollable(page, "pre, .opblock-body, .opblock-body :is(div, table), .models div");
  for (const dialog of page.querySelectorAll(".modal-ux")) {
    dialog.role = "dialog";
    dialog.ariaModal = "true";
  }
  page.querySelector(".information-container")?.setAttribute("role", "banner");
  for (const copy of page.querySelectorAll("div[aria-label]:has(> button)")) copy.role ??= "group";
  // A link in a button: the button opens the operation, and the address bar then has the link.
  for (const link of page.querySelectorAll("button a[href]")) link.removeAttribute("href");
}

function colours() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

colours();
dark.addEventListener("change", colours);
keepMended(page, mend);
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  syntaxHighlight: { theme: "tomorrow-night" },
});
