/** A real browser for tests: the packaged one on Linux, else the Chrome that is installed. */
import { type Browser, chromium } from 'playwright-core';

/** The browser shall talk to the page under test and to nobody else. */
const args = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function openBrowser(): Promise<Browser> {
  if (process.platform !== 'linux') return await chromium.launch({ args, channel: 'chrome' });
  const { default: packaged } = await import('@sparticuz/chromium');
  return await chromium.launch({ args, executablePath: await packaged.executablePath() });
}

/**
 * Ratios of text and control borders to what is behind them, by WCAG 2.2, as far as they are too low:
 * 4.5 is asked of text and 3 of what shows where a control is. To be evaluated in a page.
 */
export const lowContrast = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ratio = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const check = (element, what, color, back, least) => {
    const value = ratio(parse(color), back);
    if (value < least) found.push(element.tagName + ' ' + what + ' ' + value.toFixed(2));
  };
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.trap') || !element.getClientRects().length) continue;
    const own = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const isControl = element.matches('input, select, textarea');
    if (hasText || isControl) check(element, 'text', own.color, behind(element), 4.5);
    if (isControl && element.type !== 'checkbox') {
      check(element, 'border', own.borderTopColor, behind(element.parentElement), 3);
    }
  }
  return found;
})()`;
