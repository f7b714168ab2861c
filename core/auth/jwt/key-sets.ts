import { readFile } from "node:fs/promises"
import { type Closable, closeAll } from "#core/closable.ts"
import { ConfigurationError, explain } from "#core/errors.ts"
import { BadKeys, parseKeys } from "./keys.ts"
import type { KeySet } from "./remote-keys.ts"

/** The key sets of all issuers. Those of URLs outlive the policy: a reload does not ask every issuer again. */
export interface KeySets extends Closable {
  /** A policy is read from the beginning: what one before it asked for, which may have been faulty, counts no more. */
  begin(): void
  /** Throws ConfigurationError where there are no keys in the file. */
  ofFile(file: string): Promise<KeySet>
  /** Returns at once; an issuer that is down holds nothing up. Throws ConfigurationError for an unreadable `caFile`. */
  ofUrl(url: URL, caFile: string | undefined): Promise<KeySet>
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
    async ofFile(file) {
      const text = await read(file)
      try {
        const keys = parseKeys(text)
        return { generation: () => 0, current: () => keys, refresh: () => Promise.resolve() }
      } catch (error) {
        throw error instanceof BadKeys ? new ConfigurationError([{ where: file, message: error.message }]) : error
      }
    },
    async ofUrl(url, caFile) {
      const ca = caFile === undefined ? undefined : await read(caFile)
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

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (error) {
    throw new ConfigurationError([{ where: file, message: `can't be read: ${explain(error)}` }])
  }
}
