import { createHash } from "node:crypto"
import { type FSWatcher, readFileSync, statSync, watch } from "node:fs"
import { dirname } from "node:path"
import type { Closable } from "#core/closable.ts"

const SETTLE_MS = 20
const POLL_MS = 5000
/** Is no hash. */
const UNKNOWN = ""

/**
 * Calls `changed` when the content of one of the files is another than before, also where it is replaced, linked anew
 * (Kubernetes mounts) or appears later. Folders are watched for speed; a slow poll finds what a file system does not tell.
 * Where the files follow from what was read, give a function: it is asked again after each change, and what it adds
 * counts as changed once more. `changed` deals with its own failures.
 */
export function watchFiles(
  files: readonly string[] | (() => readonly string[]),
  changed: () => Promise<void>,
  pollMs = POLL_MS,
): Promise<Closable> {
  const list = typeof files === "function" ? files : () => files
  let known = fingerprints(list())
  let running: Promise<void> = Promise.resolve()
  let settle: NodeJS.Timeout | undefined
  let closed = false
  const watchers = new Map<string, FSWatcher>()

  const check = (): void => {
    running = running.then(async () => {
      if (closed) return
      watchFolders()
      const next = fingerprints(known.keys())
      if (closed || [...next].every(([file, hash]) => known.get(file) === hash)) return
      known = next
      await changed()
      known = new Map(list().map((file) => [file, next.get(file) ?? UNKNOWN]))
      if (closed) return
      watchFolders()
      // one that came in may have changed since it was read, when nobody watched it yet
      if (known.values().some((hash) => hash === UNKNOWN)) soon()
    })
  }
  const soon = (): void => {
    clearTimeout(settle)
    settle = setTimeout(check, SETTLE_MS)
  }
  const watchFolders = (): void => {
    for (const folder of new Set([...known.keys()].map((file) => dirname(file)))) {
      if (watchers.has(folder)) continue
      const watcher = watchFolder(folder, soon, () => watchers.delete(folder))
      if (watcher !== undefined) watchers.set(folder, watcher)
    }
  }
  watchFolders()
  const poll = setInterval(check, pollMs)
  poll.unref()
  return Promise.resolve({
    async close() {
      closed = true
      clearInterval(poll)
      clearTimeout(settle)
      for (const watcher of watchers.values()) watcher.close()
      await running
    },
  })
}

function watchFolder(folder: string, soon: () => void, lost: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, soon)
    return watcher.on("error", () => {
      watcher.close() // the folder is gone: the poll goes on
      lost()
    })
  } catch {
    return undefined // no folder yet, or no inotify: the poll finds the change
  }
}

/**
 * A hash of what stands in each file; one that can't be read counts as a content of its own. Read at once: these files
 * are small and near, and every turn of a busy event loop that is waited for would delay what was changed.
 */
function fingerprints(files: Iterable<string>): ReadonlyMap<string, string> {
  return new Map([...files].map((file) => [file, createHash("sha256").update(contentOf(file)).digest("hex")]))
}

function contentOf(file: string): Buffer | string {
  try {
    return statSync(file).isFile() ? readFileSync(file) : "no file" // a pipe would wait for a writer, and all with it
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`
  }
}
