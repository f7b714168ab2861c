import { createHash } from "node:crypto"
import { type FSWatcher, watch } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import type { Running } from "#core/component.ts"

const SETTLE_MS = 20
const POLL_MS = 5000

/**
 * Calls `changed` when the content of one of the files is another than before, also where it is replaced, linked anew
 * (Kubernetes mounts) or appears later. Folders are watched for speed; a slow poll finds what a file system does not tell.
 */
export async function watchFiles(files: readonly string[], changed: () => Promise<void>): Promise<Running> {
  let known = await fingerprint(files)
  let running: Promise<void> = Promise.resolve()
  let settle: NodeJS.Timeout | undefined
  let closed = false

  const check = (): void => {
    running = running.then(async () => {
      const next = await fingerprint(files)
      if (closed || next === known) return
      known = next
      await changed()
    })
  }
  const soon = (): void => {
    clearTimeout(settle)
    settle = setTimeout(check, SETTLE_MS)
  }
  const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) => watchFolder(folder, soon))
  const poll = setInterval(check, POLL_MS)
  poll.unref()
  return {
    async close() {
      closed = true
      clearInterval(poll)
      clearTimeout(settle)
      for (const watcher of watchers) watcher.close()
      await running
    },
  }
}

function watchFolder(folder: string, soon: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, soon)
    watcher.on("error", () => watcher.close()) // the folder is gone: the poll goes on
    return [watcher]
  } catch {
    return [] // no folder yet, or no inotify: the poll finds the change
  }
}

/** A hash of what stands in the files; one that can't be read counts as a content of its own. */
async function fingerprint(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256")
  for (const file of files) {
    const content = await readFile(file).catch((error: NodeJS.ErrnoException) => `unreadable: ${error.code}`)
    hash.update(`${content.length}:`).update(content)
  }
  return hash.digest("hex")
}
