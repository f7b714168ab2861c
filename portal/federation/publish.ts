import { chmod, mkdir, readdir, readFile, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { explain, FedstackError } from "#core/errors.ts"
import { someAtOnce } from "#core/files/some-at-once.ts"
import { type FileToWrite, writeAtomically } from "#core/files/write-atomically.ts"
import { foreignConfiguration, notWritten } from "./errors.ts"

/** A file for Prometheus; `path` is relative to the folder of its configuration. */
export interface OutputFile {
  readonly path: string
  readonly content: string
  readonly mode: number
}

export const CONFIG_FILE = "prometheus.yml"
/** The first line of every configuration that fedstack writes. */
export const HEADER = "# Written by fedstack portal: edit sites.yaml or the base configuration, not this file.\n"
/** Folders whose every file is written here. */
const OWN_FOLDERS = ["tokens", "tls", "rules"]
/** What an interrupted first writing may leave in them: a temporary file, or a token, whose path is another each time. */
const UNFINISHED = /\/\..*\.tmp$|^tokens\/.*\.[\da-f]{8}$/

/**
 * Writes what differs, in the order given. All is on disk under temporary names before the first file is replaced, so that
 * a full disk changes nothing. `acquire` is called before, when the folder is there; what it throws ends the writing. Throws
 * FOREIGN_CONFIGURATION and CONFIGURATION_NOT_WRITTEN.
 */
export async function publish(
  folder: string,
  files: readonly OutputFile[],
  acquire: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  try {
    await refuseForeign(folder, files)
    await makeFolder(folder)
    await acquire()
    const wanted = files.map(({ path, content, mode }): FileToWrite => ({ file: join(folder, path), content, mode }))
    const written = await someAtOnce(wanted, ({ file, content, mode }) => isWritten(file, content, mode))
    const changed = wanted.filter((_, index) => written[index] === false)
    for (const below of new Set(changed.map(({ file }) => dirname(file)))) await makeFolder(below)
    await writeAtomically(changed)
  } catch (error) {
    throw error instanceof FedstackError ? error : notWritten({ folder, reason: explain(error) }, { cause: error })
  }
}

/** Deletes the files of sites and rules that are gone, unless a second portal has written its configuration there. */
export async function removeStale(folder: string, files: readonly OutputFile[]): Promise<void> {
  const config = files.find(({ path }) => path === CONFIG_FILE)
  if ((await readFile(join(folder, CONFIG_FILE), "utf8")) !== config?.content) return
  const kept = new Set(files.map(({ path }) => path))
  for await (const path of ownFiles(folder)) if (!kept.has(path)) await rm(join(folder, path))
}

/** A folder is ours by the configuration in it; without one, all must be what an interrupted first writing leaves. */
async function refuseForeign(folder: string, files: readonly OutputFile[]): Promise<void> {
  const file = join(folder, CONFIG_FILE)
  const content = await readFile(file, "utf8").catch(nothingIfMissing)
  if (content?.startsWith(HEADER)) return
  if (content !== undefined) throw foreignConfiguration({ file })
  for await (const path of ownFiles(folder)) {
    if (UNFINISHED.test(path)) continue
    const found = join(folder, path)
    const ours = files.find((one) => one.path === path)
    if (ours === undefined || !(await isWritten(found, ours.content, ours.mode)))
      throw foreignConfiguration({ file: found })
  }
}

/** Paths of what lies in the folders whose every file is written here. */
async function* ownFiles(folder: string): AsyncGenerator<string> {
  for (const own of OWN_FOLDERS) {
    for (const name of (await readdir(join(folder, own)).catch(nothingIfMissing)) ?? []) yield `${own}/${name}`
  }
}

async function isWritten(file: string, content: string, mode: number): Promise<boolean> {
  const status = await stat(file).catch(nothingIfMissing)
  return status !== undefined && (status.mode & 0o777) === mode && (await readFile(file, "utf8")) === content
}

/** Node's own recursive mkdir fails with ENOENT where the disk is read-only. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "EEXIST") return
    if (code !== "ENOENT") throw error
    await makeFolder(dirname(folder))
    await mkdir(folder)
  }
  const { mode } = await stat(folder)
  await chmod(folder, (mode & 0o7000) | 0o750) // whatever the umask; a group that is handed down (setgid) stays
}

function nothingIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error
}
