import { type Closable, closeAll } from "#core/closable.ts"
import { ConfigurationError } from "#core/errors.ts"
import { BadKeys, parseKeys } from "./keys.ts"
import type { KeySet } from "./remote-keys.ts"

/** The key sets of all issuers. Those of URLs outlive the policy: a reload does not ask every issuer again. */
export interface KeySets extends Closable {
  /** A policy is read from the beginning: what one before it asked for, which may have been faulty, counts no more. */
  begin(): void
  /** Returns at once; an issuer that is down holds nothing up. `ca` are certificates in PEM. */
  ofUrl(url: URL, ca: string | undefined): KeySet
  /** Ends those that were not asked for since the beginning. */
  finish(): Promise<void>
}

/** `follow` begins to look at the keys of a URL; followKeys outside of tests. */
export function createKeySets(follow: (url: URL, ca: string | undefined) => KeySet & Closable): KeySets {
  const followed = new Map<string, KeySet & Closable>()
  let wanted = new Set<string>()
  return {
    begin() {
      wanted = new Set()
    },
    ofUrl(url, ca) {
      const key = JSON.stringify([url.href, ca])
      wanted.add(key)
      const existing = followed.get(key)
      if (existing !== undefined) return existing
      const keys = follow(url, ca)
      followed.set(key, keys)
      return keys
    },
    async finish() {
      const unused = [...followed].filter(([key]) => !wanted.has(key))
      for (const [key] of unused) followed.delete(key)
      await closeAll(unused.map(([, keys]) => keys))
    },
    close: () => closeAll([...followed.values()]),
  }
}

/** `text` is that of `file`, which stands at `where`. Throws ConfigurationError where there are no keys in it. */
export function keysOfFile(text: string, file: string, where: string): KeySet {
  try {
    const keys = parseKeys(text)
    return { generation: () => 0, current: () => keys, refresh: () => Promise.resolve() }
  } catch (error) {
    if (!(error instanceof BadKeys)) throw error
    throw new ConfigurationError([{ where, message: `${file}: ${error.message}` }])
  }
}
