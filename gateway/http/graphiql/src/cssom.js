// Writes styles through the CSS object model, which `style-src 'self'` allows, where Monaco and the
// dialogs would write them as text, which it does not. Used by the patches in patches.js.

/** A <style> element that stays empty in the document: text given to it becomes rules of its sheet. */
export function styleElement() {
  const style = document.createElement('style');
  let text = '';
  const fill = () => {
    const { sheet } = style;
    if (!sheet) return;
    while (sheet.cssRules.length > 0) sheet.deleteRule(0);
    const parsed = new CSSStyleSheet();
    parsed.replaceSync(text);
    for (const rule of parsed.cssRules) sheet.insertRule(rule.cssText, sheet.cssRules.length);
  };
  const write = (css) => {
    text = css;
    if (style.isConnected) fill();
    // It is about to be put into the document; a sheet exists only from then on.
    else queueMicrotask(fill);
  };
  const property = { configurable: true, get: () => text, set: write };
  Object.defineProperties(style, { textContent: property, innerText: property });
  // Put in later than at once, or moved: the browser has made a new, empty sheet.
  style.addEventListener('load', () => text && style.sheet?.cssRules.length === 0 && fill());
  return style;
}

// Monaco escapes < and > in what people type, so each raw < opens one of its own tags.
const STYLE_ATTRIBUTE = /(<[^>]*?)\sstyle="/g;

/** The markup with each style attribute renamed, so that parsing it sets no style. */
export const setStylesAside = (html) => html.replace(STYLE_ATTRIBUTE, '$1 data-style="');

/** Gives the elements below `root` the styles that were set aside. */
export function applyStyles(root) {
  for (const element of root.querySelectorAll('[data-style]')) {
    element.style.cssText = element.getAttribute('data-style');
    element.removeAttribute('data-style');
  }
}
