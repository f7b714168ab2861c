import { chmod, chown, mkdir } from "node:fs/promises"
import { dirname } from "node:path"

/** Makes a folder and those above it that are missing, with exactly this mode, whatever the umask. Others stay as they are. */
export async function makeFolder(path: string, mode: number, group?: number): Promise<void> {
  try {
    await mkdir(path, { mode: mode & 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "EEXIST") return
    if (code !== "ENOENT" || dirname(path) === path) throw error
    await makeFolder(dirname(path), mode, group)
    await mkdir(path, { mode: mode & 0o700 })
  }
  if (group !== undefined) await chown(path, process.geteuid?.() ?? -1, group)
  await chmod(path, mode)
}
