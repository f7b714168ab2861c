import { createHash } from "node:crypto"
import { lstatSync, readFileSync, renameSync, type Stats } from "node:fs"
import { access, constants, type FileHandle, open, realpath, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { FaultsError, FedstackError } from "#core/errors.ts"
import { reasonOf, textOf } from "#core/files/read-text.ts"
import { syncFolder, temporaryOf } from "#core/files/write-atomically.ts"
import { type Change, edit } from "./edit.ts"
import { changedMeanwhile, notWritable, otherVersion } from "./errors.ts"

/** The content of the file, as an entity tag (RFC 9110 8.8.3). */
export const etagOf = (content: string | Buffer): string =>
  `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`

export interface Changed {
  /** Of the file as it is now. */
  readonly etag: string
  /** False where all was so already, and nothing was written. */
  readonly written: boolean
}

export interface ChangeOptions {
  /** Throws ConfigurationError with every fault of what would be written. */
  readonly validate: (text: string) => Promise<unknown>
  /** If-Match of the request. */
  readonly ifMatch?: string | undefined
}

/** How often it begins anew where the file changes meanwhile, and milliseconds between two looks at another writer. */
const TRIES = 20
const PAUSE = 50
/** Milliseconds after which what another writer began is left over from one that was killed. */
const LEFT_OVER = 30_000

/**
 * Changes the file, and nothing in it that the change is not about. What others write meanwhile, by hand or with fedstack,
 * is kept: the change is then made anew of that. Throws ConfigurationError, and the errors of errors.ts.
 */
export async function changeFile(file: string, change: Change, options: ChangeOptions): Promise<Changed> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const changed = await attemptOnce(file, change, options)
    if (changed !== undefined) return changed
    await wait(PAUSE)
  }
  throw changedMeanwhile({ file })
}

/** Undefined where another client writes the file. */
async function attemptOnce(file: string, change: Change, options: ChangeOptions): Promise<Changed | undefined> {
  const status = await checkWritable(file)
  const temporary = temporaryOf(file)
  await using handle = await begin(file, temporary)
  if (handle === undefined) return undefined
  let replaced = false
  try {
    const content = status === undefined ? undefined : readFileSync(file)
    const etag = etagOf(content ?? "")
    if (options.ifMatch !== undefined && !matches(options.ifMatch, etag)) throw otherVersion({ file })
    const text = content === undefined ? "" : textOf(content, file)
    const next = await edited(text, change, options)
    if (next === text) return { etag, written: false }
    await fill(handle, next, status)
    if (!isStill(file, content)) return undefined
    renameSync(temporary, file) // at once: nothing else happens in this process between these two
    replaced = true
    await syncFolder(dirname(file))
    return { etag: etagOf(next), written: true }
  } catch (error) {
    throw withReason(error, file)
  } finally {
    if (!replaced) await rm(temporary, { force: true })
  }
}

async function edited(text: string, change: Change, { validate }: ChangeOptions): Promise<string> {
  try {
    const next = edit(text, change)
    if (next !== text) await validate(next)
    return next
  } catch (error) {
    if (error instanceof FedstackError && error.code === "CANNOT_EDIT") await validate(text)
    throw error
  }
}

/** By strong comparison, as RFC 9110 13.1.1 has it. */
const matches = (ifMatch: string, etag: string): boolean =>
  ifMatch.trim() === "*" || ifMatch.split(",").some((one) => one.trim() === etag)

/** What stands in its place; undefined where there is nothing yet. Throws SITES_FILE_NOT_WRITTEN. */
async function checkWritable(file: string): Promise<Stats | undefined> {
  const cannot = (reason: string): FedstackError => notWritable({ file, reason })
  const status = lstatSync(file, { throwIfNoEntry: false })
  if (status === undefined) return undefined
  if (status.isSymbolicLink()) {
    const target = await realpath(file).catch(() => "a file that is missing")
    throw cannot(`it is a symbolic link to ${target}; name that file, or change it where it comes from`)
  }
  if (!status.isFile()) throw cannot("it is not a file")
  if ((status.mode & 0o222) === 0) throw cannot("it is read-only; change it where it comes from, or allow writing")
  try {
    await access(file, constants.W_OK)
  } catch (error) {
    throw cannot(`${reasonOf(error)}; fedstack runs as ${USER} and must be able to write it`)
  }
  return status
}

const USER = `user ${process.geteuid?.() ?? "unknown"}`

/** A file that only one writer can begin; undefined where another has. */
async function begin(file: string, temporary: string): Promise<FileHandle | undefined> {
  try {
    return await open(temporary, "wx", 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = `its folder does not take another file: ${reasonOf(error)}; fedstack runs as ${USER}`
    if (code !== "EEXIST") throw notWritable({ file, reason }, { cause: error })
    const status = lstatSync(temporary, { throwIfNoEntry: false })
    if (status !== undefined && Date.now() - status.mtimeMs > LEFT_OVER) await rm(temporary, { force: true })
    return undefined
  }
}

/** With the owner and mode of what it is to replace. */
async function fill(handle: FileHandle, content: string, status: Stats | undefined): Promise<void> {
  if (status !== undefined && (status.uid !== process.geteuid?.() || status.gid !== process.getegid?.()))
    await handle.chown(status.uid, status.gid)
  await handle.chmod(status === undefined ? 0o644 : status.mode & 0o7777)
  await handle.writeFile(content)
  await handle.sync()
}

function isStill(file: string, content: Buffer | undefined): boolean {
  let now: Buffer | undefined
  try {
    now = readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
  }
  return content === undefined || now === undefined ? content === now : now.equals(content)
}

function withReason(error: unknown, file: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (error instanceof FedstackError || error instanceof FaultsError || syscall === undefined) return error
  const reasons: Readonly<Record<string, string>> = {
    EBUSY: "it is mounted by itself, and so cannot be replaced; mount its folder in its place",
    EPERM: `its owner and group cannot be kept; fedstack runs as ${USER}`,
  }
  return notWritable({ file, reason: reasons[code ?? ""] ?? reasonOf(error) }, { cause: error })
}
