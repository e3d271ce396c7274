/** A part of a bucket that outputs are written to. An object is whole or not there by itself. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { listed, request } from './s3.ts';
import type { Store, Workplace } from './store.ts';

export class S3Store implements Store {
  readonly name: string;

  constructor(path: string) {
    this.name = path.replace(/\/+$/, '');
  }

  async read(path: string): Promise<Uint8Array | null> {
    const response = await request(this.#at(path));
    if (response.status === 404) return null;
    if (!response.ok) throw failed(this.#at(path), response);
    return new Uint8Array(await response.arrayBuffer());
  }

  async *blocks(path: string): AsyncGenerator<Uint8Array> {
    const response = await request(this.#at(path));
    if (response.status === 404) return;
    if (!response.ok) throw failed(this.#at(path), response);
    yield* response.body ?? [];
  }

  async has(path: string): Promise<boolean> {
    const response = await request(this.#at(path), { method: 'HEAD' });
    if (!response.ok && response.status !== 404) throw failed(this.#at(path), response);
    return response.ok;
  }

  async list(folder: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of listed(this.#at(folder), true)) names.push(name);
    return names.sort();
  }

  async *find(folder: string, names: readonly string[]): AsyncGenerator<string> {
    for await (const { name } of listed(this.#at(folder), false))
      if (names.includes(name.slice(name.lastIndexOf('/') + 1))) yield `${folder}/${name}`;
  }

  async put(path: string, content: Uint8Array | string): Promise<void> {
    const response = await request(this.#at(path), { method: 'PUT', body: content });
    if (!response.ok) throw failed(this.#at(path), response);
  }

  putPieces(path: string, pieces: Iterable<string>): Promise<void> {
    return this.put(path, [...pieces].join(''));
  }

  async putFile(path: string, local: string): Promise<void> {
    await this.put(path, await readFile(local));
  }

  async putFolder(path: string, local: string, last: string): Promise<boolean> {
    const entries = await readdir(local, { recursive: true, withFileTypes: true });
    const files = entries.filter((e) => e.isFile()).map((e) => relative(local, join(e.parentPath, e.name)));
    for (const file of files) if (file !== last) await this.putFile(`${path}/${file}`, join(local, file));
    const response = await request(this.#at(`${path}/${last}`), {
      method: 'PUT',
      headers: { 'if-none-match': '*' },
      body: await readFile(join(local, last)),
    });
    if (response.status === 412) return false;
    if (!response.ok) throw failed(this.#at(path), response);
    return true;
  }

  async remove(path: string): Promise<void> {
    const objects = [path];
    for await (const { name } of listed(this.#at(path), false)) objects.push(`${path}/${name}`);
    for (const object of objects) await request(this.#at(object), { method: 'DELETE' });
  }

  async workplace(): Promise<Workplace> {
    const path = await mkdtemp(join(tmpdir(), 'tcpautopsy-'));
    return {
      path,
      settle: async () => undefined,
      dispose: () => rm(path, { recursive: true, force: true }),
    };
  }

  async settle(): Promise<void> {}

  async tidy(): Promise<void> {}

  #at(path: string): string {
    return path === '' ? this.name : `${this.name}/${path}`;
  }
}

/** As an error of the system, so that it is told as one of the output. */
function failed(path: string, { status }: Response): Error {
  return Object.assign(new Error(`EIO: the store answers ${status}, ${path}`), {
    code: 'EIO',
    errno: -5,
    path,
  });
}
