import { open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

export interface FileToWrite {
  readonly file: string
  readonly content: string
  /** Exactly, whatever the umask. */
  readonly mode: number
}

/**
 * Replaces files, each in one step: at no moment is there half a file, whatever happens. All are on disk under temporary names
 * before the first one is replaced, so that a full disk changes nothing. Where several processes may write the same file,
 * `writer` makes their temporary files distinct.
 */
export async function writeAtomically(files: readonly FileToWrite[], writer = ""): Promise<void> {
  const staged = files.map((one) => ({
    ...one,
    temporary: join(dirname(one.file), `.${basename(one.file)}${writer}.tmp`),
  }))
  try {
    for (const { temporary, content, mode } of staged) await writeWhole(temporary, content, mode)
    for (const { temporary, file } of staged) await rename(temporary, file)
    for (const folder of new Set(staged.map(({ file }) => dirname(file)))) await syncFolder(folder)
  } catch (error) {
    await Promise.allSettled(staged.map(({ temporary }) => rm(temporary, { force: true })))
    throw error
  }
}

async function writeWhole(file: string, content: string, mode: number): Promise<void> {
  await rm(file, { force: true }) // left by a killed process
  await using handle = await open(file, "wx", mode)
  await handle.chmod(mode)
  await handle.writeFile(content)
  await handle.sync()
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r")
  await handle.sync()
}
