/** Asking the API. Paths are relative, so that the page works below any prefix. */

const PATIENCE_MS = 30_000;
const PROPERTY = "home";
const HEADERS = { "Content-Type": "application/json" };

export function estimatePath(query) {
  return `estimate?${new URLSearchParams({ explain: "true", ...query })}`;
}

export function estimateBody(home) {
  return { [PROPERTY]: home };
}

/**
 * {answer, trainedUntil}, {faults}, {problem, values} or null if *signal* ended it.
 *
 * Nothing of an answer that did not come whole.
 */
export async function ask({ home, query }, key, signal) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  const giveUp = () => late.abort();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const answer = await fetch(estimatePath(query), {
      method: "POST",
      headers: { ...HEADERS, ...authorization(key) },
      body: JSON.stringify(estimateBody(home)),
      signal: late.signal,
    });
    const told = await answer.json().catch((error) => {
      if (late.signal.aborted) throw error;
      return null;
    });
    const own = told?.[PROPERTY];
    if (!answer.ok || !own) return refused(answer, told, key);
    return { answer: own, trainedUntil: await trainedUntil(own.model_version, key, late.signal) };
  } catch {
    if (signal.aborted) return null;
    return { problem: late.signal.aborted ? "timeout" : "network", values: {} };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

/** {model_version, cells: [[lat, lon, n], …]} of the active model; null if they cannot be had. */
export async function modelPlaces(key) {
  try {
    const answer = await fetch("model/places", { headers: authorization(key) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

const untilByVersion = new Map();

/** The day of the newest sale of a version; null if another one is active by now. */
async function trainedUntil(version, key, signal) {
  if (!untilByVersion.has(version)) {
    try {
      const answer = await fetch("model", { headers: authorization(key), signal });
      const model = answer.ok ? await answer.json() : {};
      if (model.model_version !== version) return null;
      untilByVersion.set(version, model.trained_until);
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }
  return untilByVersion.get(version);
}

function authorization(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

function refused(answer, told, key) {
  if (answer.status === 422 && told?.errors?.length) return { faults: told.errors };
  const seconds = answer.headers.get("Retry-After") ?? "5";
  const values = { seconds, id: told?.request_id, status: answer.status };
  return { problem: named(answer.status, told, key), values };
}

function named(status, told, key) {
  if (status === 401 && !key) return "no_key";
  if (status === 503 && told?.type === "urn:ree:problem:model-not-ready") return "no_model";
  if ([401, 413, 429, 503].includes(status)) return String(status);
  return told?.request_id ? "other" : "unclear";
}
