/**
 * Starts and stops a whole local system for a test file or a benchmark: free
 * ports, a state folder of its own, stacks synthesized once for all.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOfSources, synthesize } from '../../local/synth.ts';
import {
  type Claims,
  type LocalOptions,
  type LocalSystem,
  type Role,
  startLocal,
} from '../../local/system.ts';

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/firstcall');

/**
 * The synthesized stacks of the sources as they are. Made once, whichever
 * process comes first; the others wait for nothing but their own try.
 */
export async function ensureAssembly(): Promise<string> {
  const digest = digestOfSources().slice(0, 16);
  const wanted = join(cache, digest);
  if (existsSync(wanted)) return wanted;
  mkdirSync(cache, { recursive: true });
  const mine = `${wanted}.${process.pid}`;
  await synthesize(mine);
  // Stacks of earlier sources; what another process is just making has a dot in its name.
  for (const name of readdirSync(cache)) {
    if (!name.includes('.')) rmSync(join(cache, name), { recursive: true, force: true });
  }
  try {
    renameSync(mine, wanted);
  } catch {
    rmSync(mine, { recursive: true, force: true });
  }
  return wanted;
}

/** A mail as the local inbox keeps it. */
export interface InboxMail {
  readonly messageId: string;
  readonly from: string;
  readonly destination: { readonly to: string[]; readonly cc: string[]; readonly bcc: string[] };
  readonly subject: string;
  readonly body: { readonly text?: string; readonly html?: string };
  /** Epoch seconds. */
  readonly at: number;
}

export interface Call {
  readonly headers?: Record<string, string>;
  /** Signs the call as the demo practice's first member of this role. */
  readonly role?: Role;
  /** A token to send as it is. */
  readonly token?: string;
}

export interface Harness {
  readonly system: LocalSystem;
  readonly origin: string;
  readonly home: string;
  get(path: string, call?: Call): Promise<Response>;
  /** A string or bytes are sent as they are; anything else as JSON. */
  post(path: string, body: unknown, call?: Call): Promise<Response>;
  patch(path: string, body: unknown, call?: Call): Promise<Response>;
  token(role: Role, member?: string): Promise<string>;
  /** Signs a token with other claims than the usual ones; `undefined` removes one. */
  sign(claims: Claims): Promise<string>;
  inbox(): Promise<InboxMail[]>;
  clearInbox(): Promise<void>;
  stop(): Promise<void>;
}

export type HarnessOptions = Partial<LocalOptions> & {
  /** Leaves the state folder, for a next start on it. */
  readonly keepHome?: boolean;
};

/** Starts a system; call `stop` in `afterAll`, whatever happened. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { keepHome, ...local } = options;
  const home = local.home ?? mkdtempSync(join(tmpdir(), 'firstcall-'));
  const synthDir = local.synthDir ?? (await ensureAssembly());
  const system = await startLocal({ port: 0, ...local, synthDir, home });
  const { issuer } = system;
  if (!issuer) throw new Error('the stacks hold no user pool');

  const send = async (method: string, path: string, body: unknown, call: Call): Promise<Response> => {
    const token = call.token ?? (call.role && (await issuer.token(call.role)));
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof URLSearchParams;
    return await fetch(system.origin + path, {
      method,
      // An answer to a form's post is looked at, not followed.
      redirect: 'manual',
      headers: {
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...call.headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
    });
  };

  return {
    system,
    origin: system.origin,
    home,
    get: (path, call = {}) => send('GET', path, undefined, call),
    post: (path, body, call = {}) => send('POST', path, body, call),
    patch: (path, body, call = {}) => send('PATCH', path, body, call),
    token: issuer.token,
    sign: issuer.sign,
    inbox: async () => {
      const response = await fetch(`${system.inboxUrl}/store`);
      return ((await response.json()) as { emails: InboxMail[] }).emails;
    },
    clearInbox: async () => {
      await fetch(`${system.inboxUrl}/clear-store`, { method: 'POST' });
    },
    stop: async () => {
      await system.stop();
      if (!keepHome) rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * Asks until there is an answer: anything but undefined, null and false.
 *
 * @throws Error naming what was waited for
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  limitMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await sleep(25);
  }
}
