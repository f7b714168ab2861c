import { isUtf8 } from "node:buffer"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { ConfigurationError } from "#core/errors.ts"
import { type Content, readBefore, readOnce } from "./read-once.ts"

/**
 * Reads a text file. Throws ConfigurationError where it cannot be read or is not UTF-8; `where` is the place that names the
 * file, the file itself if not given.
 */
export type ReadText = (file: string, where?: string) => string

/** Once, for a command that ends; what runs on reads through core/files/reload.ts, which notices changes. */
export const readText: ReadText = (file, where) => textOf(contentOf(file), file, where)

export type ReadContent = (file: string) => Content

/** What a pipe gives is read once, and remembered. */
export const contentOf: ReadContent = (file) => readOnce(file) ?? contentOfFile(file)

/** The same, but for pipes that were not read before: nothing is waited for. */
export const contentWithoutWaiting: ReadContent = (file) => readBefore(file) ?? contentOfFile(file)

/** Read at once: these files are small and near, and every turn of a busy event loop that is waited for would delay a reload. */
function contentOfFile(file: string): Content {
  try {
    return readFileSync(file)
  } catch (error) {
    return error as Error
  }
}

export function textOf(content: Content, file: string, where = file): string {
  const subject = where === file ? "cannot" : `the file ${file} cannot`
  const unreadable = (reason: string) => new ConfigurationError([{ where, message: `${subject} be read: ${reason}` }])
  if (content instanceof Error) throw unreadable(problemOf(content, file))
  if (!isUtf8(content)) throw unreadable("it is not UTF-8; save it in this encoding")
  return content.toString("utf8")
}

function problemOf(error: NodeJS.ErrnoException, file: string): string {
  if (error.code !== "EISDIR") return `${reasonOf(error)}${hintOf(error, file)}`
  return isEmpty(file)
    ? "it is an empty folder, as Docker makes one where a file to mount does not exist; remove it and create the file"
    : "it is a folder; name a file in it"
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch {
    return false // what is in it is not known
  }
}

function hintOf({ code }: NodeJS.ErrnoException, file: string): string {
  // the user of a container is not the one who wrote the file
  if (code === "EACCES") return `; fedstack runs as user ${process.geteuid?.()} and must be able to read it`
  const example = exampleOf(file)
  return code === "ENOENT" && existsSync(example)
    ? `; copy ${basename(example)} beside it to this name, and edit it`
    : ""
}

/** `sites.example.yaml` of `sites.yaml`. */
const exampleOf = (file: string): string => file.replace(/(\.[^./]*)?$/, ".example$1")

/** What the operating system reports, without the path that the message names already. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/, \w+(?: '.*)?$/s, "") : String(error)
