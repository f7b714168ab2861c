import { existsSync } from "node:fs"
import { join } from "node:path"
import { explain } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { credentialsError } from "./errors.ts"
import { checkKey, credentialsFile } from "./render.ts"

/** The original's own place, and the one where the deployment of its README mounts the secret. */
export const FOLDERS: readonly string[] = ["/secrets", "/rawsecrets"]

export interface CredentialSources {
  readonly accessKeySource: string | undefined
  readonly secretKeySource: string | undefined
  readonly credentialsSource: string | undefined
  readonly optionalCredentials: boolean
}

export interface Credentials {
  /** Of the file that is written; undefined where there are none, which is allowed then. */
  readonly content: string | undefined
  /** In words: the files, or that there are none. */
  readonly from: string
}

/**
 * Two keys, else a ready-made file. Throws ExitError where there is no source, or one that cannot be used. Every file is read
 * through `read`, also one that is missing, so that its coming is noticed.
 */
export function readCredentials(wanted: CredentialSources, read: ReadText, folders = FOLDERS): Credentials {
  const { accessKeySource, secretKeySource, credentialsSource, optionalCredentials } = wanted
  if (credentialsSource !== undefined) {
    const ready = firstOf([credentialsSource], read)
    if (ready !== undefined) return copyOf(ready)
    throw credentialsError(`there is no file ${credentialsSource}`)
  }
  const places = (given: string | undefined, name: string): readonly string[] =>
    given === undefined ? folders.map((folder) => join(folder, name)) : [given]
  const accessKeys = places(accessKeySource, "aws_access_key_id")
  const secretKeys = places(secretKeySource, "aws_secret_access_key")
  const [accessKey, secretKey] = pairOf(accessKeys, secretKeys, read)
  if (accessKey !== undefined && secretKey !== undefined)
    return {
      content: credentialsFile({
        accessKeyId: checkKey(accessKey.file, accessKey.content),
        secretAccessKey: checkKey(secretKey.file, secretKey.content),
      }),
      from: `${accessKey.file} and ${secretKey.file}`,
    }
  const lone = accessKey ?? secretKey
  if (lone !== undefined) {
    const missing = accessKey === undefined ? accessKeys : secretKeys
    throw credentialsError(`${lone.file} is there, and no file ${missing.join(" or ")}`)
  }
  const given = accessKeySource !== undefined || secretKeySource !== undefined
  const readyMade = given ? [] : folders.map((folder) => join(folder, "credentials"))
  const ready = firstOf(readyMade, read)
  if (ready !== undefined) return copyOf(ready)
  const none = `there is no file ${[...accessKeys, ...secretKeys, ...readyMade].join(" or ")}`
  if (optionalCredentials) return { content: undefined, from: none }
  throw credentialsError(`${none}; mount the secret, or go without by --optional-credentials`)
}

/** Both of one version of the secret: its volume may be replaced between two reads. */
function pairOf(accessKeys: readonly string[], secretKeys: readonly string[], read: ReadText) {
  for (;;) {
    const [before, secretKey, after] = [accessKeys, secretKeys, accessKeys].map((files) => firstOf(files, read))
    if (before?.content === after?.content) return [after, secretKey] as const
  }
}

interface Found {
  readonly file: string
  readonly content: string
}

/** The first that is there. One that is there and cannot be read is a failure, not a missing one. */
function firstOf(files: readonly string[], read: ReadText): Found | undefined {
  for (const file of files) {
    try {
      return { file, content: read(file) }
    } catch (error) {
      if (existsSync(file)) throw credentialsError(explain(error))
    }
  }
  return undefined
}

function copyOf({ file, content }: Found): Credentials {
  if (content.trim() === "") throw credentialsError(`${file} is empty`)
  return { content, from: file }
}
