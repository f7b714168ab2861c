import { lstat, mkdir, readFile, readlink, realpath, rename, rm, stat, symlink } from "node:fs/promises"
import { basename, dirname, join, relative, resolve } from "node:path"
import { type FileToWrite, syncFolder, temporaryOf, writeAtomically, writeWhole } from "./write-atomically.ts"

/** Beside the first file while several are replaced. */
const STATE = ".fedstack-set"

/**
 * Writes those files of a set that are not as they should be, all or none, and returns their names. Files of different folders,
 * even of different volumes, cannot be replaced in one step. So each becomes a link to its old content first, through one link
 * that they share; renaming that one is the step; then each becomes a file again. Whatever ends the process, at every moment
 * either all have their old content or all their new one, and the next call ends what was begun. Content is copied beside the
 * first file only: begin with the most secret one. Folders must exist. Only one process at a time may write a set.
 */
export async function writeSet(files: readonly FileToWrite[]): Promise<readonly string[]> {
  const absolute = files.map((one) => ({ ...one, file: resolve(one.file) }))
  await finishSet(absolute.map(({ file }) => file))
  const changed = await differing(absolute)
  if (changed.length < 2) await writeAtomically(changed)
  else await replaceTogether(changed)
  return changed.map(({ file }) => file)
}

/** Those that are not yet as they should be: other content, mode or group, or no file at all. */
export async function differing<T extends FileToWrite>(files: readonly T[]): Promise<readonly T[]> {
  const verdicts = await Promise.all(files.map(isRight))
  return files.filter((_, index) => verdicts[index] === false)
}

async function isRight({ file, content, mode, group }: FileToWrite): Promise<boolean> {
  try {
    const status = await lstat(file)
    if (!status.isFile() || (status.mode & 0o7777) !== mode) return false
    if (group !== undefined && status.gid !== group) return false
    return (await readFile(file)).equals(Buffer.from(content))
  } catch {
    return false // writing reports what is wrong
  }
}

async function replaceTogether(files: readonly FileToWrite[]): Promise<void> {
  const [first] = files
  if (first === undefined) return
  const state = join(dirname(first.file), STATE)
  try {
    await prepare(files, state)
    await linkTo(
      state,
      files.map(({ file }) => file),
    )
    await symlink("new", join(state, "next"))
    await rename(join(state, "next"), join(state, "current")) // the step
    await syncFolder(state)
    for (const { file } of files) await rename(temporaryOf(file), file)
    await syncFolders(files.map(({ file }) => file))
    await rm(state, { recursive: true })
  } catch (error) {
    await finish(state).catch(() => undefined) // the first failure is the reason, and the next call tries again
    await removeTemporary(files.map(({ file }) => file))
    throw error
  }
}

/** All that a full disk could refuse. */
async function prepare(files: readonly FileToWrite[], state: string): Promise<void> {
  for (const folder of [state, join(state, "old"), join(state, "new")]) await mkdir(folder, { mode: 0o711 })
  for (const [index, one] of files.entries()) {
    await copyIfThere(one.file, join(state, "old", String(index)))
    await writeWhole({ ...one, file: join(state, "new", String(index)) })
    await writeWhole({ ...one, file: temporaryOf(one.file) })
  }
  const paths = JSON.stringify(files.map(({ file }) => file))
  await writeWhole({ file: join(state, "paths"), content: paths, mode: 0o600 })
  await symlink("old", join(state, "current"))
  for (const folder of ["old", "new", "."]) await syncFolder(join(state, folder))
}

/** From here on readers go through `current`. */
async function linkTo(state: string, files: readonly string[]): Promise<void> {
  const target = await realpath(state)
  for (const [index, file] of files.entries()) {
    const link = temporaryOf(file, ".link")
    await rm(link, { force: true })
    await symlink(join(relative(await realpath(dirname(file)), target), "current", String(index)), link)
    await rename(link, file)
  }
  await syncFolders(files)
}

/** Ends what a killed process has begun: old content before the step, new content after it. */
async function finishSet(files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await finish(join(folder, STATE))
  await removeTemporary(files)
}

async function finish(state: string): Promise<void> {
  for (const [index, file] of (await pathsIn(state)).entries()) {
    const content = join(state, "current", String(index))
    if (!(await isLinkTo(file, content))) continue
    const temporary = temporaryOf(file)
    if (await copyIfThere(content, temporary)) await rename(temporary, file)
    else await rm(file) // there was none before
    await syncFolder(dirname(file))
  }
  await rm(state, { recursive: true, force: true })
}

/** None where no link was made yet. */
async function pathsIn(state: string): Promise<readonly string[]> {
  try {
    return JSON.parse(await readFile(join(state, "paths"), "utf8")) as readonly string[]
  } catch {
    return []
  }
}

async function isLinkTo(file: string, content: string): Promise<boolean> {
  try {
    const link = await readlink(file)
    const target = await realpath(dirname(dirname(content)))
    return resolve(await realpath(dirname(file)), link) === join(target, "current", basename(content))
  } catch {
    return false
  }
}

/** With mode and group. False where there is none. */
async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    const { mode, gid } = await stat(from)
    await writeWhole({ file: to, content: await readFile(from), mode: mode & 0o7777, group: gid })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false
    throw error
  }
}

async function removeTemporary(files: readonly string[]): Promise<void> {
  const names = files.flatMap((file) => [temporaryOf(file), temporaryOf(file, ".link")])
  await Promise.allSettled(names.map((name) => rm(name, { force: true })))
}

async function syncFolders(files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await syncFolder(folder)
}
