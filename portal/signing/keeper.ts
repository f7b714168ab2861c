import { existsSync } from "node:fs"
import type { Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import { ConfigurationError, FedstackError } from "#core/errors.ts"
import { makeFolder } from "#core/files/make-folders.ts"
import { type ReadText, reasonOf } from "#core/files/read-text.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import { writeAtomically } from "#core/files/write-atomically.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { lockFolder } from "../federation/folder-lock.ts"
import { keyFileOf, parseRing, writeRing } from "./key-file.ts"
import type { Algorithm } from "./algorithms.ts"
import type { Key } from "./key.ts"
import { advance, firstRing, type KeyRing, nextKey, ringAfterLoss, signingKey } from "./key-ring.ts"
import { publishedCopy } from "./published.ts"
import { endRotation, readRotation } from "./rotation-request.ts"

export interface KeeperOptions {
  /** Where the keys are kept, and where a copy of their public parts is. */
  readonly folder: string
  readonly configDir: string
  readonly alg: Algorithm
  /** In seconds. */
  readonly lifetime: number
  readonly keyAge: number
  readonly isRefused: (kid: string) => boolean
  readonly log: Logger
  readonly registry: Registry
}

/** Undefined: there is no file, or it cannot be used. */
interface Loaded {
  readonly ring: KeyRing | undefined
  /** How many writes of our own were over when it was read. */
  readonly writes: number
}

/**
 * Keeps the keys on disk and in their time. A file that cannot be used changes nothing: the keys before it stay in force, and
 * at the start no token is signed until it is mended; never is a new key made in its place.
 */
export async function openKeeper(options: KeeperOptions) {
  const { folder, configDir, alg, lifetime, keyAge, isRefused, log, registry } = options
  const file = keyFileOf(folder)
  const copy = publishedCopy(configDir, log)
  const lock = lockFolder(folder, log)
  let ring: KeyRing | undefined
  let fault: string | undefined
  let published: readonly Key[] = await copy.read()
  /** Of our own writes: what was read before the last one is out of date. */
  let writes = 0
  const reportWrite = logChanges((reason?: string) => {
    if (reason === undefined) log.info({ folder }, "signing keys are kept again")
    else log.error({ folder, reason }, "cannot write the signing keys, signing with those before or with none")
  })

  const reloading = await reloadOnChange<Loaded>({
    config: "signing_keys",
    name: "signing keys",
    load(read) {
      const before = writes
      const text = ring !== undefined || existsSync(file) ? readPresent(read, file) : undefined
      return { ring: text === undefined ? undefined : parseRing(text, file), writes: before }
    },
    fallback: { load: () => ({ ring: undefined, writes }), consequence: "signing no tokens until it is mended" },
    apply(next) {
      if (next.writes !== writes) return
      ring = next.ring ?? ring
    },
    report(faults) {
      fault = faults.map(({ where, message }) => `${where}: ${message}`).join("; ") || undefined
    },
    summary: () => ring && { keys: ring.keys.length },
    log,
    registry,
  })

  /** Whether no other process writes there. */
  async function isAlone(): Promise<boolean> {
    try {
      await makeFolder(folder, 0o700)
      await lock.acquire()
      return true
    } catch (error) {
      const isLocked = error instanceof FedstackError && error.code === "FOLDER_LOCKED"
      reportWrite(isLocked ? "another portal keeps its keys there" : reasonOf(error))
      return false
    }
  }

  async function commit(next: KeyRing): Promise<void> {
    if (next === ring || !(await isAlone())) return
    try {
      await writeAtomically([{ file, content: writeRing(next), mode: 0o600 }])
    } catch (error) {
      return reportWrite(reasonOf(error))
    }
    writes += 1
    reportWrite(undefined)
    log.info(describe(next), "signing keys changed")
    const isFirst = ring === undefined
    ring = next
    if (isFirst) await reloading.reload() // from now on it is watched
  }

  async function first(now: number): Promise<KeyRing> {
    const lost = published
    if (lost.length === 0) return firstRing({ alg, now })
    log.error({ folder }, "the signing keys are gone: publishing a new one, and signing with it 10 minutes from now")
    return ringAfterLoss(lost, { alg, now, lifetime, keyAge, isRefused })
  }

  return {
    /** Brings the keys to what they are to be at this time, in seconds. */
    async tick(now: number): Promise<void> {
      // one that appeared, as from a copy, before it is watched
      if (ring === undefined && fault === undefined && existsSync(file)) await reloading.reload()
      // what is there instead may be mended: no other key is made in its place
      if (ring === undefined && fault !== undefined) return
      const rotation = await readRotation(folder)
      const before = ring ?? (await first(now))
      const next = await advance(before, { now, alg, lifetime, keyAge, isRefused, rotation })
      await commit(next)
      if (rotation !== undefined && rotation.id === ring?.served) await endRotation(folder).catch(() => undefined)
      if (ring === undefined) return
      published = ring.keys
      await copy.write(ring)
    },
    ring: () => ring,
    /** Why the file is not what is in force; undefined where it is. */
    fault: () => fault,
    /** Those that sites may know; while the keys cannot be read, those that were published before. */
    published: () => ring?.keys ?? published,
    reload: () => reloading.reload(),
    close: () => closeAll([reloading, lock]),
  }
}

/** Reads it where it is gone, too: only so it is noticed when it comes back. */
function readPresent(read: ReadText, file: string): string {
  try {
    return read(file)
  } catch (error) {
    throw existsSync(file) ? error : gone(file)
  }
}

const gone = (file: string): ConfigurationError =>
  new ConfigurationError([{ where: file, message: "is gone, the keys before stay in force; put back a copy of it" }])

const describe = (ring: KeyRing) => ({
  signing: signingKey(ring)?.kid,
  next: nextKey(ring)?.kid,
  published: ring.keys.length,
})
