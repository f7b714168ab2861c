import { type FileHandle, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { someAtOnce } from "./some-at-once.ts"

export interface FileToWrite {
  readonly file: string
  readonly content: string
  /** Exactly, whatever the umask. */
  readonly mode: number
  /** The number of the group that owns it, in place of the process's own. */
  readonly group?: number | undefined
}

/**
 * Replaces files, each in one step: at no moment is there half a file, whatever happens. All are on disk under temporary names
 * before the first one is replaced, so that a full disk changes nothing. Where several processes may write the same file,
 * `writer` makes their temporary files distinct.
 */
export async function writeAtomically(files: readonly FileToWrite[], writer = ""): Promise<void> {
  const staged = files.map((one) => ({ ...one, temporary: temporaryOf(one.file, writer) }))
  try {
    await someAtOnce(staged, ({ temporary, ...one }) => writeWhole({ ...one, file: temporary }))
    for (const { temporary, file } of staged) await rename(temporary, file)
    for (const folder of new Set(staged.map(({ file }) => dirname(file)))) await syncFolder(folder)
  } catch (error) {
    await Promise.allSettled(staged.map(({ temporary }) => rm(temporary, { force: true })))
    throw error
  }
}

/** Where a file is written before it takes its place. */
export const temporaryOf = (file: string, writer = ""): string => join(dirname(file), `.${basename(file)}${writer}.tmp`)

/** Anew, on disk, under a name that no reader knows. */
export async function writeWhole({
  file,
  content,
  mode,
  group,
}: Omit<FileToWrite, "content"> & { readonly content: string | Uint8Array }): Promise<void> {
  await using handle = await openNew(file, mode & 0o600) // no other reader's before the group is the right one
  if (group !== undefined) await handle.chown(-1, group)
  await handle.chmod(mode)
  await handle.writeFile(content)
  await handle.sync()
}

async function openNew(file: string, mode: number): Promise<FileHandle> {
  try {
    return await open(file, "wx", mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    await rm(file) // left by a killed process
    return open(file, "wx", mode)
  }
}

/** So that the names in it outlive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r")
  await handle.sync()
}
