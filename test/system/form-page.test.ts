/** The form page in a real browser, with JavaScript disabled unless a test says otherwise. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lowContrast, openBrowser } from './browser.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { listAll, notified } from './samples.ts';

const desktop = { width: 1100, height: 900 };
const phone = { width: 360, height: 740 };

let harness: Harness;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [harness, browser] = await Promise.all([startHarness({ inMemory: true }), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await harness?.stop();
});
afterEach(async () => {
  await page?.context().close();
});

/** Opens a page; whatever it asks of anybody but us makes the test fail. */
async function open(path = '/', options: BrowserContextOptions = {}): Promise<void> {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: desktop, ...options });
  await context.route(
    ({ origin, protocol }) =>
      protocol !== 'data:' && origin !== harness.origin && origin !== harness.system.inboxUrl,
    (route) => {
      throw new Error(`the page asked for ${route.request().url()}`);
    },
  );
  page = await context.newPage();
  await page.goto(harness.origin + path);
}

/** Keeps a picture where somebody wants to look at it. */
async function picture(name: string, fullPage = true): Promise<void> {
  const folder = process.env['FIRSTCALL_SCREENSHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

const field = (label: string) => page.getByLabel(label, { exact: true });
const focused = (): Promise<string> => page.evaluate('document.activeElement.id');

/** Inquiries so far from whoever has this name. */
async function inquiriesOf(name: string): Promise<string[]> {
  const heads = await listAll(harness, {});
  const views = await Promise.all(
    heads.map(async ({ id }) => (await harness.get(`/v1/inquiries/${id}`, { role: 'coordinator' })).json()),
  );
  return (views as { id: string; contact: { name?: string } }[])
    .filter(({ contact }) => contact.name === name)
    .map(({ id }) => id);
}

describe('filling in the form', () => {
  it('works by keyboard alone, and carries where the person came from', async () => {
    await open('/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0KEY&name=not-from-here');
    expect(await page.title()).toBe('Bayview Health (demo)');
    await page.keyboard.press('Tab');
    const typed: Record<string, string> = {
      name: 'Kim Keyboard',
      phone: '(650) 555-0111',
      email: 'kim@example.com',
      patientName: '',
      // Typing in a closed list chooses what begins so.
      service: 'Psor',
      location: 'New',
      insurance: 'self-pay',
      preferredTime: 'mornings',
      language: 'Eng',
      message: 'It is back, and the old cream does not help.',
      consentEmail: ' ',
    };
    for (const [name, text] of Object.entries(typed)) {
      expect(await page.evaluate('document.activeElement.name')).toBe(name);
      if (name === 'consentEmail') await page.keyboard.press('Space');
      else await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    expect(await page.evaluate('document.activeElement.tagName')).toBe('BUTTON');
    await picture('filled');
    await page.keyboard.press('Enter');

    await page.waitForURL(`${harness.origin}/thank-you`);
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    await picture('thank-you');
    expect(await page.evaluate(lowContrast)).toEqual([]);

    const [id = '', ...more] = await waitFor('the inquiry', async () => {
      const found = await inquiriesOf('Kim Keyboard');
      return found.length > 0 && found;
    });
    expect(more).toEqual([]);
    expect(await notified(harness, id)).toMatchObject({
      source: 'search-ad',
      campaign: 'spring',
      service: 'dermatology-psoriasis',
      location: 'new-york',
      contact: { name: 'Kim Keyboard', email: 'kim@example.com', phone: '+16505550111' },
      message: 'It is back, and the old cream does not help.',
      fields: {
        gclid: 'Cj0KEY',
        utm_source: 'google',
        consentEmail: true,
        language: 'en',
        insurance: 'self-pay',
      },
    });
  });

  it('keeps what was typed when something is wrong, says what, and leads there', async () => {
    const message = 'Two "quoted" <lines>\nand a ü';
    await open('/?gclid=kept&utm_medium=cpc');
    await field('Your name').fill('Ed Error');
    await field('Phone number').fill('call me');
    await field('What can we help with?').selectOption('dental-implant');
    await field('Message').fill(message);
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Send' }).click();

    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await page.title()).toBe('Please check: Bayview Health (demo)');
    await picture('error');
    expect(await page.evaluate(lowContrast)).toEqual([]);
    // Where a screen reader begins.
    expect(await page.evaluate('document.activeElement.getAttribute("role")')).toBe('alert');
    expect(await alert.innerText()).toMatch(/Phone number: must be a phone number such as/);

    expect(await field('Your name').inputValue()).toBe('Ed Error');
    expect(await field('What can we help with?').inputValue()).toBe('dental-implant');
    expect(await field('Message').inputValue()).toBe(message);
    expect(await page.getByRole('checkbox').isChecked()).toBe(true);
    expect(await field('Phone number').inputValue()).toBe('call me');
    expect(await field('Phone number').getAttribute('aria-invalid')).toBe('true');
    const described = (await field('Phone number').getAttribute('aria-describedby')) ?? '';
    const texts = await Promise.all(described.split(' ').map((id) => page.locator(`#${id}`).innerText()));
    expect(texts.join(' ')).toMatch(/must be a phone number such as/i);

    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('phone');
    await field('Phone number').fill('650 555 0112');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL(`${harness.origin}/thank-you`);
    const [id = ''] = await inquiriesOf('Ed Error');
    expect(await notified(harness, id)).toMatchObject({
      source: 'search-ad',
      message,
      fields: { gclid: 'kept' },
    });
  });

  it('takes an inquiry for somebody else: the patient is the contact, who wrote is told apart', async () => {
    await open();
    await field('Your name').fill('Rosa Writer');
    await field('Phone number').fill('650 555 0114');
    await field("Patient's name, if this is for somebody else").fill('Leo Writer');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL(`${harness.origin}/thank-you`);

    const emergency = page.getByText('If this is an emergency, call 911 now.');
    expect((await emergency.boundingBox())?.y).toBeLessThan(desktop.height / 2);
    const [id = ''] = await waitFor('the inquiry', async () => {
      const found = await inquiriesOf('Leo Writer');
      return found.length > 0 && found;
    });
    expect(await notified(harness, id)).toMatchObject({
      contact: { name: 'Leo Writer', phone: '+16505550114' },
      fields: { name: 'Rosa Writer', patientName: 'Leo Writer' },
    });
    expect(await inquiriesOf('Rosa Writer')).toEqual([]);
  });

  it('is one inquiry, however impatiently Send is clicked', async () => {
    await open();
    await field('Your name').fill('Dot Double');
    await field('E-mail address').fill('dot@example.com');
    await page.getByRole('button', { name: 'Send' }).dblclick({ noWaitAfter: true });
    await page.waitForURL(`${harness.origin}/thank-you`);
    const [id = '', ...more] = await inquiriesOf('Dot Double');
    expect(more).toEqual([]);
    await notified(harness, id);

    // On purpose, it is another one.
    await page.getByRole('link', { name: 'Send another message' }).click();
    await page.waitForURL(`${harness.origin}/`);
    await field('Your name').fill('Dot Double');
    await field('E-mail address').fill('dot@example.com');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL(`${harness.origin}/thank-you`);
    expect(await inquiriesOf('Dot Double')).toHaveLength(2);
  });

  it('works with JavaScript enabled just the same', async () => {
    await open('/', { javaScriptEnabled: true });
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.reload();
    await field('Phone number').fill('650 555 0113');
    await field('Your name').fill('Jay Script');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL(`${harness.origin}/thank-you`);
    expect(problems).toEqual([]);
    expect(await inquiriesOf('Jay Script')).toHaveLength(1);
  });
});

describe('the page', () => {
  it('links to what there is to see: the service, the inbox, the API', async () => {
    await open('/');
    const hrefs = await Promise.all(
      ['Service status', 'Inbox of all e-mail', 'How to use the API'].map((name) =>
        page.getByRole('link', { name }).getAttribute('href'),
      ),
    );
    const answers = await Promise.all(
      hrefs.map(async (href) => fetch(new URL(href ?? 'no link', `${harness.origin}/`))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers[1]?.url).toBe(`${harness.system.inboxUrl}/`);
    expect(await answers[2]?.text()).toMatch(/^# The API\n/);
  });

  it('labels every control, and shows the honeypot to nobody', async () => {
    await open();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    const unlabelled = await page.evaluate(`
      [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]
        .filter((control) => !/\\w/.test([...(control.labels ?? []), control][0].innerText))
        .map(({ outerHTML }) => outerHTML)`);
    expect(unlabelled).toEqual([]);

    const trap = page.locator('[name=website]');
    expect(await trap.count()).toBe(1);
    const box = await trap.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(0);
    expect(await page.getByRole('textbox', { name: /empty/ }).count()).toBe(0);
    const reached: string[] = [];
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate('document.activeElement.name ?? ""'));
    }
    expect(reached).toContain('message');
    expect(reached).not.toContain('website');
  });

  it.each([
    ['desktop', { viewport: desktop }],
    ['desktop-dark', { viewport: desktop, colorScheme: 'dark' }],
    ['phone', { viewport: phone, isMobile: true, hasTouch: true }],
    ['phone-dark', { viewport: phone, isMobile: true, hasTouch: true, colorScheme: 'dark' }],
    ['phone-large-text', { viewport: { width: 320, height: 640 } }],
  ] as const)('can be read and used: %s', async (name, options) => {
    await open('/', options);
    await picture(name);
    // The first thing that somebody in an emergency has to see.
    const emergency = page.getByText('If this is an emergency, call 911 now.');
    const box = await emergency.boundingBox();
    expect((box?.y ?? Number.POSITIVE_INFINITY) + (box?.height ?? 0)).toBeLessThan(
      options.viewport.height / 2,
    );

    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    for (const control of await page
      .locator('input:not([type=hidden]):visible, select, textarea, button')
      .all()) {
      if ((await control.getAttribute('name')) === 'website') continue;
      const size = await control.boundingBox();
      expect(size?.height, (await control.getAttribute('name')) ?? 'Send').toBeGreaterThanOrEqual(24);
    }
  });
});

describe('the local inbox', () => {
  it('shows the mails', async () => {
    await open('/', { javaScriptEnabled: true, viewport: { width: 1100, height: 620 } });
    await page.goto(harness.system.inboxUrl);
    await page.getByRole('button', { name: 'Toggle text view' }).first().click();
    await page
      .getByText(/A new inquiry of tier/)
      .first()
      .waitFor();
    await picture('inbox', false);
  });
});
