import { createHash } from "node:crypto"
import { type FSWatcher, statSync, watch } from "node:fs"
import { dirname } from "node:path"
import type { Closable } from "#core/closable.ts"
import type { Content } from "./read-once.ts"
import { contentWithoutWaiting, type ReadText, textOf } from "./read-text.ts"

const SETTLE_MS = 20
const POLL_MS = 5000

/** A hash of what stood in each file when it was read; that it could not be read is a content of its own. */
export type Contents = ReadonlyMap<string, string>

export interface Reads {
  readonly read: ReadText
  readonly contents: Contents
  /** Files in which nothing stood. */
  readonly empty: ReadonlySet<string>
}

/** Reads text files and remembers what stood in them. A pipe that was not read before is refused, unless `readContent` reads it. */
export function recordReads(readContent = contentWithoutWaiting): Reads {
  const contents = new Map<string, string>()
  const empty = new Set<string>()
  const read: ReadText = (file, where) => {
    const content = readContent(file)
    contents.set(file, hashOf(content))
    const text = textOf(content, file, where)
    if (text.trim() === "") empty.add(file)
    return text
  }
  return { read, contents, empty }
}

export interface Watching extends Closable {
  /** Whether a file differs from what was read. */
  isOutdated(): boolean
  /** Compares soon: other files may have been read than before. */
  update(): void
}

/**
 * Calls `changed` when a file differs from `contents()`, which is what was read last: also where it is replaced, linked anew
 * (Kubernetes mounts) or appears later, and where it changed before the watch began. Folders are watched for speed; a slow
 * poll finds what a file system does not report. `changed` handles its own failures, and calls `update`.
 */
export function watchFiles(contents: () => Contents, changed: () => Promise<void>, pollMs = POLL_MS): Watching {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>()
  let running: Promise<void> = Promise.resolve()
  let settle: NodeJS.Timeout | undefined
  let closed = false

  const isOutdated = (): boolean =>
    contents()
      .entries()
      .some(([file, hash]) => hashOf(contentWithoutWaiting(file)) !== hash)
  const check = (): void => {
    running = running.then(async () => {
      if (closed) return
      watchFolders() // first: what changes while the files are compared is noticed
      if (isOutdated()) await changed()
    })
  }
  const update = (): void => {
    clearTimeout(settle)
    if (!closed) settle = setTimeout(check, SETTLE_MS)
  }
  const watchFolders = (): void => {
    const folders = new Set([...contents().keys()].map((file) => dirname(file)))
    for (const [folder, { watcher, identity }] of watchers) {
      if (folders.has(folder) && identityOf(folder) === identity) continue
      watcher.close() // a watch goes with its folder where that is moved, and ends where it is deleted
      watchers.delete(folder)
    }
    for (const folder of folders) {
      const identity = watchers.has(folder) ? undefined : identityOf(folder)
      const watcher = identity === undefined ? undefined : watchFolder(folder, update)
      if (identity !== undefined && watcher !== undefined) watchers.set(folder, { watcher, identity })
    }
  }
  watchFolders()
  update()
  const poll = setInterval(check, pollMs).unref()
  return {
    isOutdated,
    update,
    async close() {
      closed = true
      clearInterval(poll)
      clearTimeout(settle)
      for (const { watcher } of watchers.values()) watcher.close()
      await running
    },
  }
}

function watchFolder(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, changed)
    return watcher.on("error", () => watcher.close()) // the poll goes on
  } catch {
    return undefined // no inotify: the poll finds the change
  }
}

/** Undefined where there is no folder, or it cannot be reached. */
function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder)
    return `${dev} ${ino}`
  } catch {
    return undefined // reading a file in it reports why
  }
}

const hashOf = (content: Content): string =>
  content instanceof Error ? content.message : createHash("sha256").update(content).digest("hex")
