import { dirname, resolve } from "node:path"
import { makeFolder } from "#core/files/make-folders.ts"
import type { FileToWrite } from "#core/files/write-atomically.ts"
import { differing, writeSet } from "#core/files/write-set.ts"
import type { Credentials } from "./credentials.ts"
import { filesError } from "./errors.ts"
import type { Identity } from "./identity.ts"
import { clusterIdFile, regionFile } from "./render.ts"
import type { ClusterIdentityValues } from "./settings.ts"

export interface FileResult {
  readonly path: string
  readonly state: "written" | "unchanged" | "would_write" | "left_out"
  /** Why it was left out. */
  readonly reason?: string
}

type FileValues = Pick<
  ClusterIdentityValues,
  "credentialsFile" | "regionFile" | "clusterIdFile" | "mode" | "dirMode" | "group" | "dryRun"
>

/** Writes all or none. Throws ExitError. */
export async function writeFiles(
  identity: Identity,
  credentials: Credentials,
  { credentialsFile: credentialsPath, regionFile: regionPath, clusterIdFile: idPath, ...values }: FileValues,
): Promise<readonly FileResult[]> {
  const { region, id } = identity
  const wanted = [
    // the most secret one first: nothing of it comes to stand elsewhere
    { path: credentialsPath, content: credentials.content, reason: credentials.from },
    "value" in region
      ? { path: regionPath, content: regionFile(region.value), reason: "" }
      : { path: regionPath, content: undefined, reason: region.reason },
    { path: idPath, content: clusterIdFile(id.value), reason: "" },
  ].map((one) => ({ ...one, path: resolve(one.path) }))
  const files = wanted.flatMap(({ path, content }) =>
    content === undefined ? [] : [{ file: path, content, mode: values.mode, group: values.group }],
  )
  const changed = new Set(await write(files, values))
  return wanted.map(({ path, content, reason }) => {
    if (content === undefined) return { path, state: "left_out", reason }
    if (!changed.has(path)) return { path, state: "unchanged" }
    return { path, state: values.dryRun ? "would_write" : "written" }
  })
}

async function write(
  files: readonly FileToWrite[],
  { dryRun, dirMode, group }: Pick<FileValues, "dryRun" | "dirMode" | "group">,
): Promise<readonly string[]> {
  if (dryRun) return (await differing(files)).map(({ file }) => file)
  try {
    for (const folder of new Set(files.map(({ file }) => dirname(file)))) await makeFolder(folder, dirMode, group)
    return await writeSet(files)
  } catch (error) {
    throw filesError(error)
  }
}
