// The libraries draw what a mouse and an eye need. These add what a keyboard and a screen reader
// need, whenever they have drawn something: before it is painted, or asked about by anyone.

const HEADINGS = "h1, h2, h3, h4, h5, h6";

/** Mends the page now and after every change to it. */
export function keepMended(page, mend) {
  const all = () => {
    mend(page);
    outline(page);
  };
  // Attributes are not observed: mending changes only these, so it cannot call itself.
  new MutationObserver(all).observe(page, { childList: true, subtree: true });
  addEventListener("resize", all);
  all();
}

/** Gives what *selector* finds a name, unless it has one; *of* answers with it. */
export function name(page, selector, of) {
  for (const element of page.querySelectorAll(selector)) {
    if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", of(element));
  }
}

/** Lets the keyboard scroll what is wider than its place. */
export function scrollable(page, selector) {
  for (const element of page.querySelectorAll(selector)) {
    const wide = element.scrollWidth > element.clientWidth;
    const high = element.scrollHeight > element.clientHeight;
    const scrolls = /auto|scroll/.test(getComputedStyle(element).overflow);
    if (scrolls && (wide || high)) element.tabIndex = 0;
  }
}

/** Leaves no level of headings out: the first below an h2 is of level 3, whatever its size. */
function outline(page) {
  const above = [];
  for (const heading of page.querySelectorAll(HEADINGS)) {
    if (!heading.checkVisibility()) continue;
    const size = Number(heading.tagName[1]);
    while (above.length && above.at(-1) >= size) above.pop();
    above.push(size);
    if (above.length !== size) heading.setAttribute("aria-level", above.length);
    else heading.removeAttribute("aria-level");
  }
}
