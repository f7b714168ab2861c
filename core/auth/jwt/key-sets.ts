import { type Closable, closeAll } from "#core/closable.ts"
import type { KeySet } from "./keys.ts"

export type KeySets = ReturnType<typeof createKeySets>

/**
 * The keys that issuers publish. They outlive a configuration: a reload does not contact every issuer again. `follow` begins
 * to fetch the keys of a URL, with certificates in PEM, and returns at once: an issuer that is down holds nothing up.
 */
export function createKeySets(follow: (url: URL, ca: string | undefined) => KeySet & Closable) {
  const followed = new Map<string, KeySet & Closable>()
  return {
    follow(url: URL, ca: string | undefined): KeySet {
      const key = JSON.stringify([url.href, ca])
      const keys = followed.get(key) ?? follow(url, ca)
      followed.set(key, keys)
      return keys
    },
    /** Ends those that no issuer in force uses; a faulty configuration may have begun them. */
    async keepOnly(issuers: readonly { readonly keys: KeySet }[]): Promise<void> {
      const used = new Set(issuers.map(({ keys }) => keys))
      const unused = [...followed].filter(([, keys]) => !used.has(keys))
      for (const [key] of unused) followed.delete(key)
      await closeAll(unused.map(([, keys]) => keys))
    },
    close: (): Promise<void> => closeAll([...followed.values()]),
  }
}
