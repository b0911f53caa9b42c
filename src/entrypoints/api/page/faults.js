/** What was refused, why and what to do: the API's codes in the words of a language. */

const FIGURE = "-?[\\d.,]+(?:e[+-]?\\d+)?";
const REACH = new RegExp(
  `^(?<value>${FIGURE})[^;]*; (?:at least (?<low>${FIGURE}))?(?: and )?` +
    `(?:at most (?<high>${FIGURE}))? is valued$`,
);
const BOUNDS = new RegExp(`^must lie between (?<low>${FIGURE}) and (?<high>${FIGURE})`);
const DATES =
  /more than (?<months>\d+) months (?<side>after|before) .*\((?<day>\d{4}-\d\d-\d\d)\)/;
const DECIMALS = 3;

/** A fault a field: what is missing is told at each field that lacks it. */
export function separated(faults) {
  return faults.flatMap((fault) => {
    const fields = fault.field === null ? [] : fault.field.split(",").map(ownName);
    if (fault.code.startsWith("missing:") && fields.length > 1) {
      return fields.map((field) => ({ ...fault, fields: [field] }));
    }
    return [{ ...fault, fields }];
  });
}

function ownName(field) {
  return field === "bra" ? "usable_area" : field;
}

/** {what, whole}: what is wrong, and that with the figures and with what to do. */
export function explained(fault, words) {
  if (fault.text) return { what: fault.text, whole: fault.text };
  const key = fault.local ? `local.${fault.local}` : faultKey(fault.code, words);
  const figures = fault.local ? "" : told(key, fault.message, words);
  const [what, todo] = parts(key, { code: fault.code }, words);
  return { what, whole: [what, figures, todo].filter(Boolean).join(" ") };
}

/** What an estimate is accompanied by. */
export function warned(code, words) {
  const known = words.has(`warning.${code}.what`);
  return both(known ? `warning.${code}` : "warning.other", { code }, words);
}

export function problem(name, values, words) {
  return both(`problem.${name}`, values, words);
}

function both(key, values, words) {
  return parts(key, values, words).join(" ");
}

function parts(key, values, words) {
  return [words.say(`${key}.what`, values), words.say(`${key}.do`, values)];
}

function faultKey(code, words) {
  const family = code.split(":")[0];
  const known = [code, family].find((each) => words.has(`fault.${each}.what`));
  return `fault.${known ?? "other"}`;
}

/** The API's figures, rounded; nothing where its message has none of those that are to be told. */
function told(key, message, words) {
  const dates = DATES.exec(message);
  if (dates && words.has(`${key}.${dates.groups.side}`)) {
    const { months, side, day } = dates.groups;
    return words.say(`${key}.${side}`, { months, day: words.day(day) });
  }
  const found = REACH.exec(message) ?? BOUNDS.exec(message);
  if (!found || !words.has(`${key}.figures`)) return "";
  const { value, low, high } = found.groups;
  return words.say(`${key}.figures`, rounded(figure(value), figure(low), figure(high), words));
}

function figure(text) {
  return text === undefined ? undefined : Number(text.replaceAll(",", ""));
}

/** As short as they can be told apart. No home is less than 0 years old. */
function rounded(value, low, high, words) {
  const bounds = [low === undefined ? undefined : clamped(low), high];
  for (let decimals = 0; ; decimals += 1) {
    const [shown, least, most] = [value, ...bounds].map((each) =>
      each === undefined ? undefined : words.number(each, decimals),
    );
    if (decimals === DECIMALS || (shown !== least && shown !== most)) {
      return { value: shown, low: least, high: most };
    }
  }
  function clamped(bound) {
    return value === undefined ? bound : Math.max(0, bound);
  }
}
