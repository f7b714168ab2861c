import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { writeAtomically } from "#core/files/write-atomically.ts"
import type { Rotation } from "./key-ring.ts"

const FILE = "rotate.json"
const schema = z.strictObject({ id: z.string().min(1), now: z.boolean(), dropOld: z.boolean() })

/** Beside the keys: who may write there may have them rotated. The portal that keeps them serves it. */
export async function requestRotation(folder: string, rotation: Rotation): Promise<void> {
  await writeAtomically([{ file: join(folder, FILE), content: `${JSON.stringify(rotation)}\n`, mode: 0o600 }])
}

/** The request that waits; undefined where there is none, or one that cannot be read. */
export async function readRotation(folder: string): Promise<Rotation | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, FILE), "utf8")))
  } catch {
    return undefined
  }
}

export const endRotation = (folder: string): Promise<void> => rm(join(folder, FILE), { force: true })
