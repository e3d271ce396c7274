/** Derivations that are made once: per object, or per instance. */

/** Stands for `undefined`, which is a value as well. */
const NOTHING = Symbol('nothing');
/** Under it an object holds what was derived of it, by the number of the derivation. */
const DERIVED = Symbol('derived');
let derivations = 0;

/**
 * Computes a derivation of an object when it is first asked for, and keeps it as long as the object lives: in the
 * object itself, because a WeakMap of half a million of them costs the garbage collector seconds.
 */
export function memoised<K extends object, T>(derive: (key: K) => T): (key: K) => T {
  const slot = derivations++;
  return (key) => {
    const keeper = key as K & { [DERIVED]?: unknown[] };
    const known = keeper[DERIVED]?.[slot];
    if (known !== undefined) return known === NOTHING ? (undefined as T) : (known as T);
    const value = derive(key);
    keeper[DERIVED] ??= [];
    keeper[DERIVED][slot] = value === undefined ? NOTHING : value;
    return value;
  };
}

/** Lets go of all that was derived of an object so. */
export function forget(key: object): void {
  (key as { [DERIVED]?: unknown[] | undefined })[DERIVED] = undefined;
}

export function lazy<T>(derive: () => T): () => T {
  let kept: { value: T } | null = null;
  return () => {
    kept ??= { value: derive() };
    return kept.value;
  };
}

/** One derivation per name. */
export function byName<T>(derive: (name: string) => T): (name: string) => T {
  const memo = new Map<string, T>();
  return (name) => {
    if (!memo.has(name)) memo.set(name, derive(name));
    return memo.get(name) as T;
  };
}
