import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { readOptional, writePrivate } from '../home.ts';

/** The roles of staff, as the groups of the user pool. */
export const roles = ['coordinator', 'manager', 'marketer', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The demo practice's first member of each role. */
const firstMember: Record<Role, string> = {
  coordinator: 'ana',
  manager: 'mia',
  marketer: 'max',
  admin: 'ada',
};

const scope = 'firstcall/staff';
const lifetimeSeconds = 3600;

interface IssuerFile {
  readonly issuer: string;
  readonly clientId: string;
  readonly keyId: string;
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

/** Claims as they stand in a token. */
export type Claims = Record<string, unknown>;

/** A stand-in for the Cognito user pool: signs access tokens and checks them. */
export interface Issuer {
  readonly issuer: string;
  readonly clientId: string;
  /** Signs claims; those given replace the usual ones, `undefined` removes one. */
  sign(claims: Claims): Promise<string>;
  /** An access token of a member, by default the demo practice's first one of the role. */
  token(role: Role, member?: string): Promise<string>;
  /** The claims of a token that was signed here and has not expired; else undefined. */
  verify(token: string): Promise<Claims | undefined>;
}

/** Makes the signing key at a first start, and notes whom tokens are for. */
export async function prepareIssuer(
  file: string,
  pool: { readonly issuer: string; readonly clientId: string },
): Promise<void> {
  const found = readOptional<IssuerFile>(file);
  if (found?.issuer === pool.issuer && found.clientId === pool.clientId) return;
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  writePrivate(file, {
    issuer: pool.issuer,
    clientId: pool.clientId,
    keyId: randomUUID(),
    privateKey: await exportJWK(privateKey),
    publicKey: await exportJWK(publicKey),
  } satisfies IssuerFile);
}

/** Opens the issuer of a state folder; undefined before a first start. */
export async function openIssuer(file: string): Promise<Issuer | undefined> {
  const stored = readOptional<IssuerFile>(file);
  if (!stored) return undefined;
  const { issuer, clientId, keyId } = stored;
  const privateKey = (await importJWK(stored.privateKey, 'RS256')) as CryptoKey;
  const publicKey = (await importJWK(stored.publicKey, 'RS256')) as CryptoKey;

  const sign = async (claims: Claims): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return await new SignJWT({
      iss: issuer,
      client_id: clientId,
      token_use: 'access',
      scope,
      auth_time: now,
      iat: now,
      exp: now + lifetimeSeconds,
      jti: randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: keyId })
      .sign(privateKey);
  };

  // Checking a signature takes a fifth of a millisecond; a token comes with many requests.
  const verified = new Map<string, Claims>();
  const verify = async (token: string): Promise<Claims | undefined> => {
    const known = verified.get(token);
    if (known) return Number(known.exp) * 1000 > Date.now() ? known : undefined;
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        issuer,
        algorithms: ['RS256'],
        requiredClaims: ['exp'],
      });
      if (verified.size > 1000) verified.clear();
      verified.set(token, payload);
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  };

  return {
    issuer,
    clientId,
    sign,
    verify,
    token: (role, member = firstMember[role]) =>
      sign({ sub: member, username: member, 'cognito:groups': [role] }),
  };
}
