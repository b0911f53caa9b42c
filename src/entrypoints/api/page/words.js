/** What the page says, and how a language writes numbers and dates. */

const LOCALES = { nb: "nb-NO", en: "en-GB" };

export async function loadWords(language) {
  const answer = await fetch(`assets/${language}.json`);
  if (!answer.ok) throw new Error(`texts: ${answer.status}`);
  return new Words(language, await answer.json());
}

export class Words {
  constructor(language, texts) {
    this.language = language;
    this.locale = LOCALES[language];
    this.texts = texts;
  }

  has(key) {
    return Object.hasOwn(this.texts, key);
  }

  say(key, values = {}) {
    const text = this.has(key) ? this.texts[key] : key;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  number(value, decimals = 0) {
    const options = { maximumFractionDigits: decimals };
    return new Intl.NumberFormat(this.locale, options).format(value);
  }

  money(value) {
    const sign = value < 0 ? "−" : "";
    const digits = this.number(Math.abs(value));
    return this.language === "en" ? `${sign}NOK\u00a0${digits}` : `${sign}${digits}\u00a0kr`;
  }

  /** With the sign of what is added or taken away. */
  change(value) {
    return value > 0 ? `+${this.money(value)}` : this.money(value);
  }

  percent(share) {
    const options = { style: "percent", maximumFractionDigits: 0 };
    return new Intl.NumberFormat(this.locale, options).format(share);
  }

  /** Of an ISO date, which is a day anywhere. */
  day(iso, dateStyle = "long") {
    const options = { dateStyle, timeZone: "UTC" };
    return new Intl.DateTimeFormat(this.locale, options).format(new Date(`${iso}T00:00:00Z`));
  }
}

/** Puts the texts of a language where the page marks them. */
export function translate(words) {
  document.documentElement.lang = words.language;
  document.title = words.say("page.title");
  for (const marked of document.querySelectorAll("[data-text]")) {
    marked.textContent = words.say(marked.dataset.text);
  }
  for (const marked of document.querySelectorAll("[data-label]")) {
    marked.setAttribute("aria-label", words.say(marked.dataset.label));
  }
  for (const link of document.querySelectorAll("#languages a")) {
    if (link.hreflang === words.language) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
