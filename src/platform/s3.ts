/** Objects of S3 and its kin: signed requests, tried again where the service says so, and a bucket as files. */
import type { AwsV4Signer as Signer } from 'aws4fetch';
import { credentials } from './s3-credentials.ts';
import type { Entry, Files, OpenFile } from './types.ts';

export const S3 = 's3://';

/** The store refuses: no such bucket, wrong credentials, no permission. The message is for the user. */
export class AccessError extends Error {}

const TRIES = 6;
const FIRST_WAIT_MS = 100;
const AGAIN = new Set([408, 409, 429, 500, 502, 503, 504]);

interface Init {
  method?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

/** A path as users write it: `s3://bucket/key`. */
function bucketAndKey(path: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/{1,2}([^/]+)\/?(.*)$/s.exec(path) ?? [];
  if (!bucket) throw new AccessError(`${path}: expected s3://BUCKET/PREFIX`);
  return { bucket, key: key! };
}

function addressOf(bucket: string, key: string): URL {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const endpoint = AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL;
  const path = key
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  if (endpoint) return new URL(`${endpoint.replace(/\/$/, '')}/${bucket}/${path}`);
  const host = `s3.${region()}.amazonaws.com`;
  return new URL(
    bucket.includes('.') ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`,
  );
}

function region(): string {
  return process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1';
}

/** The response, whatever its status, unless that is one to try again. Rejects when it stays so, or there is no answer. */
export async function request(path: string, init: Init = {}): Promise<Response> {
  const { bucket, key } = bucketAndKey(path);
  const url = addressOf(bucket, key);
  for (const [name, value] of Object.entries(init.query ?? {})) url.searchParams.set(name, value);
  let why = '';
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) await new Promise((go) => setTimeout(go, FIRST_WAIT_MS * 2 ** (attempt - 1)));
    try {
      const response = await fetch(...(await signed(url, init, attempt > 0)));
      if (
        AGAIN.has(response.status) ||
        (await isExpired(response, init.method === 'HEAD' && attempt === 0))
      ) {
        why = `it answers ${response.status}`;
        await response.body?.cancel();
        continue;
      }
      return response;
    } catch (error) {
      if (error instanceof AccessError) throw error;
      why = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    }
  }
  throw Object.assign(new Error(`${path} cannot be reached: ${why}`), { code: 'EIO', errno: -5 });
}

/** Credentials that ended on the way: others are asked for. The answer to a HEAD does not say why: it is tried once. */
async function isExpired(response: Response, isUnknown: boolean): Promise<boolean> {
  if (response.status !== 400 && response.status !== 403) return false;
  if (isUnknown) return true;
  return /ExpiredToken|TokenRefreshRequired|RequestExpired/.test(await response.clone().text());
}

async function signed(url: URL, init: Init, afresh: boolean): Promise<[URL, RequestInit]> {
  const { AwsV4Signer } = (await import('aws4fetch')) as { AwsV4Signer: typeof Signer };
  const { method = 'GET', headers = {}, body } = init;
  const keys = await credentials(afresh);
  const signer = new AwsV4Signer({
    ...{ method, url: url.href, headers, service: 's3', region: region() },
    ...{ accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey },
    ...(keys.sessionToken !== undefined && { sessionToken: keys.sessionToken }),
    ...(body !== undefined && { body: body as string }),
  });
  const made = await signer.sign();
  return [made.url, { method, headers: made.headers, ...(body !== undefined && { body: body as string }) }];
}

/** Rejects with AccessError, worded for the user, when nothing can be listed there. */
export async function checkAccess(path: string): Promise<void> {
  const { bucket, key } = bucketAndKey(path);
  const response = await request(`${S3}${bucket}/`, {
    query: { 'list-type': '2', 'max-keys': '1', prefix: key },
  }).catch((error: Error) => {
    throw new AccessError(error.message);
  });
  const text = await response.text();
  if (response.ok) return;
  const code = textIn(text, 'Code') || String(response.status);
  if (code === 'NoSuchBucket' || response.status === 404)
    throw new AccessError(`${S3}${bucket}: there is no such bucket`);
  throw new AccessError(
    `${S3}${bucket}: access refused (${code}); check the credentials and their permissions`,
  );
}

function textIn(xml: string, tag: string): string {
  return unescaped(new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? '');
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal, hex, name) =>
    name
      ? (ENTITIES[name] ?? all)
      : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
  );
}

export interface Listed {
  /** Behind the prefix. */
  name: string;
  isFolder: boolean;
  size: number;
  etag: string;
}

/** What lies below a prefix, one level (`delimiter`), or all. */
export async function* listed(path: string, delimiter: boolean): AsyncGenerator<Listed> {
  const { bucket, key } = bucketAndKey(path);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  for (let token: string | null = ''; token !== null; ) {
    const response: Response = await request(`${S3}${bucket}/`, {
      query: {
        'list-type': '2',
        'encoding-type': 'url',
        prefix,
        ...(delimiter && { delimiter: '/' }),
        ...(token !== '' && { 'continuation-token': token }),
      },
    });
    const xml = await response.text();
    if (!response.ok) throw new Error(`${path} cannot be listed: ${textIn(xml, 'Code') || response.status}`);
    const nameOf = (part: string, tag: string) =>
      decodeURIComponent(textIn(part, tag).replaceAll('+', ' ')).slice(prefix.length);
    for (const [, part] of xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs))
      yield { name: nameOf(part!, 'Prefix').replace(/\/$/, ''), isFolder: true, size: 0, etag: '' };
    for (const [, part] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const name = nameOf(part!, 'Key');
      const etag = textIn(part!, 'ETag').replaceAll('"', '');
      if (name !== '' && !name.endsWith('/'))
        yield { name, isFolder: false, size: Number(textIn(part!, 'Size')), etag };
    }
    token = textIn(xml, 'IsTruncated') === 'true' ? textIn(xml, 'NextContinuationToken') : null;
  }
}

const missing = (path: string) =>
  Object.assign(new Error(`ENOENT: no such object, ${path}`), { code: 'ENOENT' });

/** Buckets as files. `isPlanning`: what a listing said of an object is believed, instead of asking again. */
export class S3Files implements Files {
  readonly #listed: Map<string, { size: number; etag: string }> | null;

  constructor(isPlanning: boolean) {
    this.#listed = isPlanning ? new Map() : null;
  }

  async open(path: string): Promise<OpenFile> {
    const { size, etag } = await this.#head(path);
    let next = 0;
    return {
      size,
      read: async (into, position) => {
        const from = position ?? next;
        const read = await readRange(
          path,
          etag,
          into.subarray(0, Math.max(Math.min(into.length, size - from), 0)),
          from,
        );
        next = from + read;
        return read;
      },
      close: async () => undefined,
    };
  }

  async stat(path: string): ReturnType<Files['stat']> {
    try {
      const { size, etag } = await this.#head(path);
      return { size, mark: `${etag}-${size}`, isFile: true, isFolder: false };
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
      for await (const _ of listed(path, true)) return { size: 0, isFile: false, isFolder: true };
      throw error;
    }
  }

  async list(folder: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const { name, isFolder, size, etag } of listed(folder, true)) {
      entries.push({ name, isFile: !isFolder, isFolder });
      if (!isFolder) this.#listed?.set(`${folder.replace(/\/$/, '')}/${name}`, { size, etag });
    }
    return entries;
  }

  async #head(path: string): Promise<{ size: number; etag: string }> {
    const known = this.#listed?.get(path);
    if (known) return known;
    if (bucketAndKey(path).key === '') throw missing(path);
    const response = await request(path, { method: 'HEAD' });
    if (response.status === 404) throw missing(path);
    if (!response.ok) throw new Error(`${path} cannot be read: ${response.status}`);
    const etag = (response.headers.get('etag') ?? '').replaceAll('"', '');
    return { size: Number(response.headers.get('content-length')), etag };
  }
}

/** Fills a buffer, of the object with this ETag and no other. Bodies that end early are gone on with. */
async function readRange(path: string, etag: string, into: Uint8Array, from: number): Promise<number> {
  let filled = 0;
  for (let attempt = 0; filled < into.length && attempt < TRIES; attempt++) {
    const response = await request(path, {
      headers: { range: `bytes=${from + filled}-${from + into.length - 1}`, 'if-match': `"${etag}"` },
    });
    if (response.status === 412) throw new Error(`${path} has changed while it was read`);
    if (response.status !== 206 && response.status !== 200)
      throw new Error(`${path} cannot be read: the store answers ${response.status}`);
    try {
      for await (const block of response.body ?? []) {
        into.set(block.subarray(0, into.length - filled), filled);
        filled = Math.min(filled + block.length, into.length);
      }
    } catch {
      // the connection broke: what is missing is asked for
    }
  }
  if (filled < into.length) throw new Error(`${path} cannot be read: bodies end early again and again`);
  return filled;
}
