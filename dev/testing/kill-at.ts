import { promises, type PathLike } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"

/** Loaded before a program by `--import`: SIGKILL in place of its Nth change of the file system, KILL_AT. */
const at = Number(process.env.KILL_AT)
let changes = 0

function kill(): void {
  changes += 1
  if (changes === at) process.kill(process.pid, "SIGKILL")
}

/** Whether it is one of the program's own, not of what Node caches. */
const isOwn = (path: PathLike): boolean =>
  process.env.KILL_BELOW !== undefined && String(path).includes(process.env.KILL_BELOW)

const CHANGES = ["mkdir", "rename", "rm", "symlink", "open", "chmod"] as const
for (const name of CHANGES) {
  const original = promises[name] as (...args: unknown[]) => Promise<unknown>
  const replaced = (...args: PathLike[]): Promise<unknown> => {
    if (args.some((arg) => isOwn(arg))) kill()
    return original(...args)
  }
  Object.assign(promises, { [name]: replaced })
}
const handle = await open(import.meta.filename)
const prototype = Object.getPrototypeOf(handle) as FileHandle
await handle.close()
for (const name of ["writeFile", "sync", "chmod", "chown"] as const) {
  const original = prototype[name] as (this: FileHandle, ...args: unknown[]) => Promise<void>
  Object.assign(prototype, {
    [name](this: FileHandle, ...args: unknown[]) {
      kill()
      return original.apply(this, args)
    },
  })
}
syncBuiltinESMExports()
