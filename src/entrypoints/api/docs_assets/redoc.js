import { keepMended, name, scrollable } from "./mending.js";

const page = document.getElementById("page");
const dark = matchMedia("(prefers-color-scheme: dark)");

// The samples are dark in both.
const responses = { success: { tabTextColor: "#7bd88f" }, error: { tabTextColor: "#ff8a80" } };
const LIGHT = {
  colors: { primary: { main: "#2450a8", light: "#2450a8" }, responses },
  typography: { code: { color: "#b3261e" } },
};
const DARK = {
  colors: {
    primary: { main: "#8ab4f8", light: "#8ab4f8" },
    success: { main: "#7bd88f" },
    error: { main: "#ff8a80" },
    responses,
    text: { primary: "#e4e6e6", secondary: "#b7bcbf" },
    border: { light: "#545d61", dark: "#3a4144" },
  },
  typography: { code: { color: "#f2b8b5", backgroundColor: "#080a0b" } },
  sidebar: { backgroundColor: "#24292c", textColor: "#e4e6e6" },
  schema: { nestedBackground: "#24292c", typeNameColor: "#b7bcbf", typeTitleColor: "#b7bcbf" },
};

function mend() {
  name(page, "select", () => "Examples");
  for (const list of page.querySelectorAll("li[role=menuitem] > ul")) list.role = "menu";
  scrollable(page, "[role=tabpanel] div, pre");
}

page.role = "main";
keepMended(page, mend);
// ReDoc mixes its colours once, while it draws.
dark.addEventListener("change", () => location.reload());
Redoc.init(
  "openapi.json",
  {
    expandResponses: "200",
    sortRequiredPropsFirst: true,
    theme: dark.matches ? DARK : LIGHT,
  },
  page,
);
