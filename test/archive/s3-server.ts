/** An S3 of our own, path style, with the ways it fails in life; and an instance service (IMDSv2) that gives credentials. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Bytes of the body after which the connection breaks. */
  cut?: number;
}

export type Interfere = (request: IncomingMessage, key: string) => Answer | null;

export class S3Server {
  /** By `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  readonly requests: string[] = [];
  pageSize = 1000;
  /** Asked first: null lets the request through. */
  interfere: Interfere = () => null;
  /** Access keys that are taken. */
  keys = new Set(['AKTEST']);
  /** What the instance service gives next. */
  instanceKeys = ['AKTEST'];
  endpoint = '';

  handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body: Buffer[] = [];
    for await (const block of request) body.push(block as Buffer);
    const url = new URL(request.url!, 'http://s3');
    const key = decodeURIComponent(url.pathname.slice(1));
    this.requests.push(`${request.method} ${key}`);
    const answer = key.startsWith('latest/')
      ? this.#instance(key)
      : (this.#denied(request) ??
        this.interfere(request, key) ??
        this.#answer(request, url, key, Buffer.concat(body)));
    response.writeHead(answer.status, answer.headers);
    if (answer.cut === undefined) response.end(request.method === 'HEAD' ? undefined : answer.body);
    else response.write(Buffer.from(answer.body!).subarray(0, answer.cut), () => response.destroy());
  };

  #instance(path: string): Answer {
    if (path.endsWith('/token')) return { status: 200, body: 'token' };
    if (path.endsWith('security-credentials/')) return { status: 200, body: 'role' };
    const key = this.instanceKeys.length > 1 ? this.instanceKeys.shift()! : this.instanceKeys[0]!;
    const body = {
      ...{ Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: key, SecretAccessKey: 'secret', Token: 'session' },
      ...{ Expiration: new Date(Date.now() + 3600_000).toISOString(), LastUpdated: new Date().toISOString() },
    };
    return { status: 200, body: JSON.stringify(body) };
  }

  #denied({ headers }: IncomingMessage): Answer | null {
    const key = /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
    if (this.keys.has(key)) return null;
    const code = key === 'AKOLD' ? 'ExpiredToken' : 'InvalidAccessKeyId';
    return { status: 403, body: `<Error><Code>${code}</Code></Error>` };
  }

  #answer({ method, headers }: IncomingMessage, url: URL, key: string, body: Buffer): Answer {
    const [bucket] = key.split('/');
    if (bucket !== 'captures' && bucket !== 'results')
      return { status: 404, body: '<Error><Code>NoSuchBucket</Code></Error>' };
    if (url.searchParams.has('list-type')) return this.#list(bucket, url.searchParams);
    const object = this.objects.get(key);
    if (method === 'PUT') {
      if (headers['if-none-match'] === '*' && object) return { status: 412 };
      this.objects.set(key, body);
      return { status: 200 };
    }
    if (method === 'DELETE') {
      this.objects.delete(key);
      return { status: 204 };
    }
    if (!object) return { status: 404 };
    const etag = etagOf(object);
    if (headers['if-match'] && headers['if-match'] !== etag) return { status: 412 };
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
    const part = from === undefined ? object : object.subarray(Number(from), Number(to) + 1);
    const own = { etag, 'content-length': String(method === 'HEAD' ? object.length : part.length) };
    return { status: from === undefined ? 200 : 206, headers: own, body: part };
  }

  #list(bucket: string, query: URLSearchParams): Answer {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`;
    const rows = new Map<string, string>();
    for (const [key, object] of [...this.objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!key.startsWith(prefix)) continue;
      const end = query.has('delimiter') ? key.indexOf('/', prefix.length) : -1;
      const name = encodeURIComponent((end < 0 ? key : key.slice(0, end + 1)).slice(bucket.length + 1));
      const etag = etagOf(object).replaceAll('"', '&quot;');
      rows.set(
        name,
        end < 0
          ? `<Contents><Key>${name}</Key><ETag>${etag}</ETag><Size>${object.length}</Size></Contents>`
          : `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`,
      );
    }
    const all = [...rows.values()];
    const start = Number(query.get('continuation-token') ?? 0);
    const page = all.slice(start, start + this.pageSize);
    const more = start + page.length < all.length;
    const next = more ? `<NextContinuationToken>${start + page.length}</NextContinuationToken>` : '';
    return { status: 200, body: `<L><IsTruncated>${more}</IsTruncated>${next}${page.join('')}</L>` };
  }
}

function etagOf(object: Buffer): string {
  return `"${createHash('md5').update(object).digest('hex')}"`;
}

/** Listens on a free port; requests of this process and its children go there until the test is over. */
export async function s3(): Promise<S3Server> {
  const own = new S3Server();
  const server = createServer(own.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  own.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const before = { ...process.env };
  process.env.AWS_ENDPOINT_URL_S3 = own.endpoint;
  process.env.AWS_ACCESS_KEY_ID = 'AKTEST';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  onTestFinished(() => {
    for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    server.closeAllConnections();
    server.close();
  });
  return own;
}
