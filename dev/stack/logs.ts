import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"

/** Runs whose logs are kept, beside those that still run. */
const KEPT = 5

/** Makes a folder for the logs of a run of this process, which outlives it; the oldest ones of ended runs are removed. */
export async function openLogs(folder: string, now: Date, pid = process.pid): Promise<string> {
  await mkdir(folder, { recursive: true })
  const earlier = (await readdir(folder))
    .filter((name) => /^\d{8}T\d{6}-\d+$/.test(name) && !isRunning(name))
    .toSorted()
  for (const name of earlier.slice(0, Math.max(0, earlier.length - KEPT + 1)))
    await rm(join(folder, name), { recursive: true, force: true })
  const path = join(folder, `${now.toISOString().replaceAll(/[-:]|\..*/g, "")}-${pid}`)
  await mkdir(path)
  return path
}

function isRunning(name: string): boolean {
  try {
    return process.kill(Number(name.split("-")[1]), 0)
  } catch {
    return false
  }
}
