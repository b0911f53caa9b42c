/** Municipalities by what people call them. */

export async function loadMunicipalities() {
  const answer = await fetch("assets/municipalities.json");
  if (!answer.ok) throw new Error(`municipalities: ${answer.status}`);
  return answer.json();
}

/**
 * {number, place}, {} of an empty text, or {fault}.
 *
 * As "Skien", "4003" or "Skien (4003)". Any number is taken, also one of old, which the service knows;
 * one that became several has no place. A name may be one of several that a municipality has, with or
 * without ø, å and accents.
 */
export function findMunicipality(text, places) {
  const asked = plain(text);
  if (asked === "") return {};
  if (/^\d{1,4}$/.test(asked)) {
    const number = asked.padStart(4, "0");
    const now = places.find((place) => place.number === number);
    return { number, place: now ?? places.find((place) => place.former.includes(number)) };
  }
  const told = /^.+ \((\d{4})\)$/.exec(asked);
  const numbered = told && places.find((place) => place.number === told[1]);
  if (numbered) return { number: numbered.number, place: numbered };
  const listed = places.find((place) => place.label === text.trim());
  const exact = listed ? [listed] : places.filter((place) => plain(place.label) === asked);
  const found = exact.length ? exact : places.filter((place) => names(place).includes(asked));
  if (found.length === 1) return { number: found[0].number, place: found[0] };
  return { fault: found.length ? "municipalities" : "municipality" };
}

function names(place) {
  return [place.name, ...place.name.split(" - ")].map(plain);
}

function plain(text) {
  const bare = text.trim().toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  return bare.replaceAll("ø", "o").replaceAll("æ", "ae");
}
