/** Numbers as people write them, in either language. Nothing is guessed. */

const UNITS = /\s*(m2|kvm|sqm|°)\.?$/;
const GROUP_SPACE = /^\d{1,3}([ '’]\d{3})+([.,]\d+)?$/;
const GROUP_DOT = /^\d{1,3}(\.\d{3})+,\d+$|^\d{1,3}(\.\d{3}){2,}$/;
const GROUP_COMMA = /^\d{1,3}(,\d{3})+\.\d+$|^\d{1,3}(,\d{3}){2,}$/;
const ONE_MARK = /^\d*[.,]\d+$/;
const LIKE_A_GROUP = /^[1-9]\d{0,2}[.,]\d{3}$/;

/**
 * {value}, {} of an empty text, or {fault: "number" | "ambiguous"}.
 *
 * A mark before three digits may group or begin decimals: where it is not the language's own
 * decimal mark, it groups in English and is ambiguous in Norwegian. *degrees* are never grouped.
 */
export function parseNumber(text, language, degrees = false) {
  const plain = text.normalize("NFKC").trim().toLowerCase().replace(UNITS, "");
  if (plain === "") return {};
  const sign = /^[-−–]/.test(plain) ? -1 : 1;
  const digits = plain.replace(/^[-−–+]\s*/, "");
  if (/^\d+$/.test(digits)) return number(digits, sign);
  if (ONE_MARK.test(digits)) {
    const own = language === "en" ? "." : ",";
    if (!degrees && LIKE_A_GROUP.test(digits) && !digits.includes(own)) {
      return language === "en" ? number(digits.replace(",", ""), sign) : { fault: "ambiguous" };
    }
    return number(digits.replace(",", "."), sign);
  }
  if (degrees) return { fault: "number" };
  if (GROUP_SPACE.test(digits)) return number(digits.replace(/[ '’]/g, "").replace(",", "."), sign);
  if (GROUP_DOT.test(digits)) return number(digits.replaceAll(".", "").replace(",", "."), sign);
  if (GROUP_COMMA.test(digits)) return number(digits.replaceAll(",", ""), sign);
  return { fault: "number" };
}

function number(digits, sign) {
  const value = sign * Number(digits);
  return Number.isFinite(value) ? { value } : { fault: "number" };
}

/** Both coordinates of a text that holds both, as maps give them ("59.21, 9.584"); else null. */
export function parsePair(text) {
  const found = /^\s*(-?\d{1,3}\.\d+)\s*[,;\s]\s*(-?\d{1,3}\.\d+)\s*$/.exec(text);
  return found && [found[1], found[2]];
}

/** As the language writes what a field holds: no groups, at most *decimals*. */
export function fieldText(value, language, decimals = 5) {
  const text = String(Number(value.toFixed(decimals)));
  return language === "en" ? text : text.replace(".", ",");
}
