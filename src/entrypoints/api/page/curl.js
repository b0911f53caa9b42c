/** The request of the page, for a terminal. */

import { estimateBody, estimatePath } from "./estimate.js";

/** No key stands in it: with keys, the name of a variable does. */
export function curlText({ home, query }, withKey) {
  const url = new URL(estimatePath(query), document.baseURI);
  const lines = [
    `curl -sS '${url.href.replaceAll("'", "%27")}'`,
    "  -H 'Content-Type: application/json'",
    ...(withKey ? ['  -H "Authorization: Bearer $REE_CLIENT_KEY"'] : []),
    `  -d '${spaced(JSON.stringify(estimateBody(home)))}'`,
  ];
  return lines.join(" \\\n");
}

/** With spaces, where lines may break; no text in it has a quote of its own. */
function spaced(json) {
  return json.replaceAll('":', '": ').replaceAll(',"', ', "');
}

/** Whether it was copied; the *source* is selected where a page may not copy. */
export async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return false;
  }
}
