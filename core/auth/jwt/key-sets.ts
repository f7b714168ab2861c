import { type Closable, closeAll } from "#core/closable.ts"
import type { KeySet } from "./keys.ts"

/** The keys that issuers publish. They outlive a configuration: a reload does not contact every issuer again. */
export interface KeySets extends Closable {
  /** Returns at once: an issuer that is down holds nothing up. `ca` are certificates in PEM. */
  follow(url: URL, ca: string | undefined): KeySet
  /** Ends those that no issuer in force uses; a faulty configuration may have begun them. */
  keepOnly(issuers: readonly { readonly keys: KeySet }[]): Promise<void>
}

/** `follow` begins to fetch the keys of a URL; followKeys outside of tests. */
export function createKeySets(follow: (url: URL, ca: string | undefined) => KeySet & Closable): KeySets {
  const followed = new Map<string, KeySet & Closable>()
  return {
    follow(url, ca) {
      const key = JSON.stringify([url.href, ca])
      const keys = followed.get(key) ?? follow(url, ca)
      followed.set(key, keys)
      return keys
    },
    async keepOnly(issuers) {
      const used = new Set(issuers.map(({ keys }) => keys))
      const unused = [...followed].filter(([, keys]) => !used.has(keys))
      for (const [key] of unused) followed.delete(key)
      await closeAll(unused.map(([, keys]) => keys))
    },
    close: () => closeAll([...followed.values()]),
  }
}
